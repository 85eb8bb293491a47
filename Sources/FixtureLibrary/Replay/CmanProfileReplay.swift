import CmanNode
import CmanWire
import EngineKit
import WireFormat

extension CmanReplay {
    /// Whose rules the engine follows in a replay.
    public enum Profile: String, Sendable, Hashable, CaseIterable {
        /// Those of the recorded daemon, the switch of `-k` included.
        case recorded
        /// Those of the kernel module.
        case kernel
        /// Ours.
        case ringbridge

        /// Whether the profile does something in this respect that the daemon of a recording does not.
        func has(_ deviation: CmanDeviation, in recording: CmanRecording) -> Bool {
            if deviation == .copiesInTime { return self == .ringbridge }
            return rules(for: recording, withholding: []) != rules(for: recording, withholding: [deviation])
        }

        /// The rules for a recording; in what is `withheld` they are those of its daemon.
        func rules(for recording: CmanRecording, withholding withheld: Set<CmanDeviation>) -> CmanProfileRules {
            let daemon = recording.isKernelLike ? CmanProfileRules.recordedKernelLike : CmanProfileRules(.daemon)
            var rules: CmanProfileRules
            switch self {
            case .recorded: return daemon
            case .kernel: rules = CmanProfileRules(.kernel)
            case .ringbridge: rules = CmanProfileRules(.ringbridge)
            }
            for deviation in withheld { deviation.withhold(from: &rules, as: daemon) }
            return rules
        }
    }

    /// A place in which the engine does not do what the daemon did.
    struct Discrepancy: Sendable {
        enum Kind: Sendable {
            /// A field of a message, or of an acknowledgement.
            case field(CmanPacketDifference)
            /// Sent so much later than by the daemon, or earlier.
            case time(Interval)
            /// Sent by the daemon only.
            case missing
            /// Sent by the engine only.
            case additional
            /// Copies of a message, of the daemon and of the engine.
            case copies(recorded: Int, replayed: Int)
        }

        var time: Instant
        var kind: Kind
        var recorded: CmanRecording.Packet?
        var replayed: CmanReplayPlayer.Sent?

        /// The message it is about.
        var packet: CmanPacket? {
            recorded?.packet ?? replayed.flatMap { sent in sent.bytes.withUnsafeBytes { try? CmanPacket(reading: $0) } }
        }
    }

    /// Everything in which a replay with the rules of another profile differs from the recording, in order of time.
    func discrepancies(of player: CmanReplayPlayer) -> [Discrepancy] {
        var result: [Discrepancy] = []
        for message in player.pairing.messages {
            guard let pair = message.pair else {
                result.append(Discrepancy(time: message.packet.time, kind: .missing, recorded: message.packet))
                continue
            }
            let sent = player.sent[pair]
            // One that acknowledges nothing does not do so by chance.
            let isRacing = sent.bytes[4..<6].contains { $0 != 0 } && isRacing(message.packet, sent)
            result += fields(message.packet, sent, ignoring: isRacing ? ["cman.sequence", "cman.ack"] : ["cman.sequence"])
            let copies = player.pairing.copies[Self.sequence(of: sent.bytes)] ?? 0
            if copies != message.copies {
                result.append(
                    Discrepancy(
                        time: max(sent.time, message.packet.time),
                        kind: .copies(recorded: message.copies, replayed: copies),
                        recorded: message.packet,
                        replayed: sent
                    )
                )
            }
        }
        for position in player.pairing.additional {
            let sent = player.sent[position]
            result.append(Discrepancy(time: sent.time, kind: .additional, replayed: sent))
        }
        result += acknowledgements(of: player)
        return result.sorted { $0.time < $1.time }
    }

    private static func sequence(of bytes: [UInt8]) -> UInt16 { UInt16(bytes[2]) | UInt16(bytes[3]) << 8 }

    private func fields(_ recorded: CmanRecording.Packet, _ replayed: CmanReplayPlayer.Sent, ignoring: Set<String>) -> [Discrepancy] {
        var result: [Discrepancy] = []
        let time = min(recorded.time, replayed.time)
        // Most are equal but for their number.
        let isEqual = recorded.bytes.prefix(2) == replayed.bytes.prefix(2) && recorded.bytes.dropFirst(4) == replayed.bytes.dropFirst(4)
        for difference in isEqual ? [] : CmanPacketDifference.all(recorded: recorded.bytes, replayed: replayed.bytes)
        where !ignoring.contains(difference.field) {
            result.append(Discrepancy(time: time, kind: .field(difference), recorded: recorded, replayed: replayed))
        }
        let isGroup = recording.groups.contains(recorded.destination)
        if replayed.destination.map({ $0 != recorded.destination }) ?? !isGroup {
            let words = CmanPacketDifference(
                field: "destination",
                recorded: isGroup ? "group" : recorded.destination.description,
                replayed: replayed.destination?.description ?? "group"
            )
            result.append(Discrepancy(time: time, kind: .field(words), recorded: recorded, replayed: replayed))
        }
        let distance = replayed.time - recorded.time
        if distance > Self.timeBound || distance < .zero - Self.timeBound {
            result.append(Discrepancy(time: time, kind: .time(distance), recorded: recorded, replayed: replayed))
        }
        return result
    }

    /// Acknowledgements, receiver by receiver: those of the same number are the same one.
    private func acknowledgements(of player: CmanReplayPlayer) -> [Discrepancy] {
        let isAck = { (bytes: [UInt8]) in bytes[0] == CmanPort.protocol && bytes[CmanHeader.size] == CmanMessageKind.ack.command }
        var recorded = player.life.life.sent.map { recording.packets[$0] }.filter { isAck($0.bytes) }
        var result: [Discrepancy] = []
        for sent in player.sent where isAck(sent.bytes) {
            let match = recorded.firstIndex {
                $0.destination == sent.destination && $0.bytes[4..<6] == sent.bytes[4..<6]
                    && abs(($0.time - sent.time).nanoseconds) <= Self.timeBound.nanoseconds
            }
            guard let match else {
                result.append(Discrepancy(time: sent.time, kind: .additional, replayed: sent))
                continue
            }
            let own = recorded.remove(at: match)
            // The thread that acknowledges and the one that learns the node's id run side by side.
            result += fields(own, sent, ignoring: ["cman.source_id"])
        }
        return result + recorded.map { Discrepancy(time: $0.time, kind: .missing, recorded: $0) }
    }
}
