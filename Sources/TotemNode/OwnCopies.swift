import EngineKit
import TotemWire
import WireFormat

extension TotemNode {
    /// A multicast of this processor that it must hear itself (reference/totem-wire.md 1.1): a processor that is alone forms its ring
    /// because it hears its own JOIN.
    enum OwnCopy: Sendable {
        case join(ReceivedJoin)
        case holdCancel(Dialect.Ring)
    }

    /// Handles the copies of what was multicast while handling something else, oldest first.
    mutating func handleOwnCopies(at now: Instant, into effects: inout Output) {
        while !ownCopies.isEmpty, state != .left {
            switch ownCopies.removeFirst() {
            case .join(let join): receiveJoin(join, at: now, into: &effects)
            case .holdCancel(let ring): receiveHoldCancel(for: ring, at: now, into: &effects)
            }
        }
    }

    /// Whether the processor is alone and a token is on its way to itself.
    package var isPassingTokenToItself: Bool { deadlines[.ownToken] != nil }

    /// Sends `datagram` to `target`, or, when that is this processor, lets it arrive a little later.
    mutating func sendToken(_ datagram: ByteRange, to target: UInt32, at now: Instant, into effects: inout Output) {
        if target == nodeID {
            ownToken.removeAll(keepingCapacity: true)
            effects.withBytes(datagram) { ownToken.append(contentsOf: $0) }
            deadlines[.ownToken] = now + loopbackDelay
        } else {
            effects.transmit(datagram, to: .node(target))
        }
    }

    /// A token that this processor sent to itself arrives.
    mutating func receiveOwnToken(at now: Instant, into effects: inout Output) {
        // Taken out, because handling it sends the next one.
        var datagram: [UInt8] = []
        swap(&datagram, &ownToken)
        defer { if ownToken.isEmpty { swap(&datagram, &ownToken) } }
        datagram.withUnsafeBytes { bytes in
            guard let (kind, byteOrder) = try? TotemPacket<Dialect>.identify(bytes) else { return }
            var reader = WireReader(bytes, byteOrder: byteOrder)
            if kind == .token, (try? token.visit(&reader)) != nil {
                receiveToken(at: now, into: &effects)
            } else if let commit = try? Commit(reading: bytes, byteOrder: byteOrder) {
                receiveCommitToken(commit, at: now, into: &effects)
            }
        }
    }
}
