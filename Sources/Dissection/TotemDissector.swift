import Captures
import TotemWire
import WireFormat

/// Recognises packets of corosync 3 and says what they mean and carry.
struct TotemDissector {
    private var rings = RingHistories()
    private var assembler = MessageAssembler()

    private typealias Packet = TotemPacket<Corosync3>

    /// Whether `payload` is corosync's; then `result` holds what it means.
    mutating func dissect(_ payload: UnsafeRawBufferPointer, into result: Dissection) -> Bool {
        guard Corosync3.byteOrder(of: payload) != nil else { return false }
        result.dialect = .corosync3
        result.upperProtocols.append("totem")
        result.tree.beginBytes(payload)
        result.tree.beginProtocol("totem", at: 0)
        do throws(WireError) {
            let (kind, byteOrder) = try Packet.identify(payload)
            var message = TotemMessage<Corosync3>(kind)
            result.message = kind.name
            var dissector = WireDissector(payload, byteOrder: byteOrder, sink: result.tree)
            var failed = false
            do throws(WireError) {
                try message.visit(&dissector)
            } catch {
                result.problems.add { $0.append(error.description) }
                failed = true
            }
            result.node = message.header.nodeID
            result.ring = message.ring
            guard !failed else {
                // What was read of it is in the tree; nothing is concluded from it but who sent it.
                result.ring = nil
                result.node = try Corosync3.Header(reading: payload, byteOrder: byteOrder).nodeID
                result.tree.endProtocol(at: dissector.offset)
                result.ownNodes = result.tree.nodes.count
                return true
            }
            interpret(message, payload, byteOrder, end: dissector.offset, into: result)
        } catch {
            result.problems.add { $0.append(error.description) }
            result.tree.endProtocol(at: payload.count)
            result.ownNodes = result.tree.nodes.count
        }
        return true
    }

    private mutating func interpret(
        _ message: TotemMessage<Corosync3>,
        _ payload: UnsafeRawBufferPointer,
        _ byteOrder: ByteOrder,
        end: Int,
        into result: Dissection
    ) {
        if case .mcast(let mcast) = message {
            if result.node == 0 { result.node = mcast.systemFrom.nodeID }
            dissect(mcast, payload, byteOrder, into: result)
            return
        }
        result.tree.endProtocol(at: end)
        result.ownNodes = result.tree.nodes.count
        result.detail.append(message)
        switch message {
        case .token(let token): note(token, into: result)
        // A LEAVE has no node id in its header (reference/totem-engine.md 8).
        case .join(let join): result.node = join.systemFrom.nodeID
        default: break
        }
        if result.problems.isEmpty, end < payload.count {
            result.notes.add {
                $0.append(payload.count - end)
                $0.append(" bytes behind the message")
            }
        }
    }

    private mutating func note(_ token: OrfToken<Corosync3>, into result: Dissection) {
        guard result.problems.isEmpty else { return }
        let index = rings.index(of: token.ring)
        if let last = rings[index].lastToken, last.sender == token.header.nodeID, last.sequence == token.tokenSequence {
            result.notes.add {
                $0.append("token sent again, first in frame ")
                $0.append(last.frame)
            }
        } else {
            rings[index].lastToken = (result.frame, token.header.nodeID, token.tokenSequence)
        }
    }

    // MARK: mcast

    private mutating func dissect(
        _ mcast: Mcast<Corosync3>,
        _ payload: UnsafeRawBufferPointer,
        _ byteOrder: ByteOrder,
        into result: Dissection
    ) {
        result.detail.append(mcast)
        let abandoned = assembler.abandoned
        let isWhole = result.content.problem == nil && result.problems.isEmpty
        let isRecovery = mcast.header.encapsulated == Mcast<Corosync3>.encapsulatedInRecovery
        let isNew = isWhole && remember(mcast, payload, isInStream: !isRecovery, into: result)
        if isRecovery {
            dissectRecovery(mcast, payload, outerIsNew: isNew, into: result)
            if isNew { deliverWhole(after: mcast, into: result) }
        } else {
            result.tree.endProtocol(at: mcast.payload.start)
            dissectPieces(mcast, payload, byteOrder, isNew: isNew, into: result)
        }
        appendCarried(into: result)
        if assembler.abandoned > abandoned {
            result.notes.add {
                $0.append(assembler.abandoned - abandoned)
                $0.append(" unfinished messages given up for want of room")
            }
        }
    }

    /// A message of an old ring inside one of the new ring.
    private mutating func dissectRecovery(
        _ outer: Mcast<Corosync3>,
        _ payload: UnsafeRawBufferPointer,
        outerIsNew: Bool,
        into result: Dissection
    ) {
        result.tree.takeApartLastField()
        let inner = UnsafeRawBufferPointer(rebasing: payload[outer.payload.range])
        let byteOrder = Corosync3.byteOrder(of: inner) ?? .little
        var mcast = Mcast<Corosync3>()
        var dissector = WireDissector(payload, offset: outer.payload.start, byteOrder: byteOrder, sink: result.tree)
        var failed = false
        do throws(WireError) {
            try dissector.structure("recovered", &mcast)
        } catch {
            result.problems.add { $0.append(error.description) }
            failed = true
        }
        result.tree.endProtocol(at: failed ? dissector.offset : mcast.payload.start)
        guard !failed else {
            result.ownNodes = result.tree.nodes.count
            return
        }
        result.detail.append(" recovers ")
        result.detail.append(mcast)
        let isNew = outerIsNew && remember(mcast, payload, isInStream: true, into: result)
        dissectPieces(mcast, payload, byteOrder, isNew: isNew, into: result)
    }

    /// Whether `mcast` is seen for the first time; a copy is noted.
    private mutating func remember(
        _ mcast: Mcast<Corosync3>,
        _ payload: UnsafeRawBufferPointer,
        isInStream: Bool,
        into result: Dissection
    ) -> Bool {
        let destination = result.content.destinationEndpoint ?? Endpoint(IPAddress(ipv4: 0), 0)
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: payload[mcast.payload.range]))
        let digest = hasher.finalize()
        let record = McastRecord(
            sequence: mcast.sequence,
            frame: result.frame,
            sender: mcast.systemFrom.nodeID,
            digest: digest,
            isInStream: isInStream,
            destination: destination
        )
        let index = rings.index(of: mcast.ring)
        if let known = rings[index].record(mcast.sequence) {
            guard known.digest == digest, known.sender == mcast.systemFrom.nodeID else {
                result.notes.add {
                    $0.append("differs from frame ")
                    $0.append(known.frame)
                    $0.append(", which has the same ring and sequence number")
                }
                rings[index].insert(record)
                return true
            }
            result.notes.add {
                if mcast.ring != result.ring {
                    $0.append("recovery: ")
                } else if known.destination != destination {
                    $0.append("copy for another receiver: ")
                } else {
                    $0.append("retransmission: ")
                }
                $0.append("repeats frame ")
                $0.append(known.frame)
            }
            return false
        }
        noteGap(before: mcast, rings[index], into: result)
        rings[index].insert(record)
        return true
    }

    private func noteGap(before mcast: Mcast<Corosync3>, _ history: RingHistory, into result: Dissection) {
        guard let highest = history.highest else {
            if mcast.sequence > 1 {
                result.notes.add {
                    $0.append("the first message of ring ")
                    $0.append(mcast.ring)
                    $0.append(" in this recording")
                }
            }
            return
        }
        let gap = mcast.sequence &- highest
        guard gap > 1, gap < RingHistory.window else { return }
        result.notes.add {
            $0.append("sequence numbers ")
            $0.append(highest &+ 1)
            if gap > 2 {
                $0.append("...")
                $0.append(mcast.sequence &- 1)
            }
            $0.append(" have not been seen yet")
        }
    }

    // MARK: process groups

    /// The process-group packet inside `mcast`.
    private mutating func dissectPieces(
        _ mcast: Mcast<Corosync3>,
        _ payload: UnsafeRawBufferPointer,
        _ byteOrder: ByteOrder,
        isNew: Bool,
        into result: Dissection
    ) {
        result.tree.takeApartLastField()
        result.upperProtocols.append(ProcessGroupPacket.protocolName)
        result.tree.beginProtocol(ProcessGroupPacket.protocolName, at: mcast.payload.start)
        var packet = ProcessGroupPacket()
        var dissector = WireDissector(payload, offset: mcast.payload.start, byteOrder: byteOrder, sink: result.tree)
        var failed = false
        do throws(WireError) {
            try packet.visit(&dissector)
        } catch {
            result.problems.add { $0.append(error.description) }
            failed = true
        }
        result.tree.endProtocol(at: dissector.offset)
        result.ownNodes = result.tree.nodes.count
        guard !failed else { return }
        if !packet.lengthsMatchData, result.content.problem == nil {
            result.problems.add {
                $0.append("the lengths of the messages do not add up to ")
                $0.append(packet.data.count)
                $0.append(" bytes")
            }
            // Daemons drop such a packet (reference/totem-wire.md 5.4).
            return
        }
        result.tree.takeApartLastField()
        let position = MessageAssembler.Position(
            ring: mcast.ring,
            sender: mcast.systemFrom.nodeID,
            sequence: mcast.sequence,
            counter: mcast.thisSequence,
            byteOrder: byteOrder
        )
        var start = packet.data.start
        for (index, length) in packet.messageLengths.enumerated() {
            let end = start + Int(length)
            guard end <= payload.count else { return }
            let piece = UnsafeRawBufferPointer(rebasing: payload[start..<end])
            start = end
            let startsHere = index > 0 || packet.continuation == 0
            let endsHere = index < packet.messageLengths.count - 1 || packet.fragmented == 0
            if startsHere, endsHere {
                if isNew || result.content.problem != nil {
                    CarriedMessageDissector.deliver(piece, at: position, index: index, into: result)
                }
            } else if isNew {
                assembler.add(
                    piece,
                    at: position,
                    continuation: startsHere ? 0 : packet.continuation,
                    fragmented: endsHere ? 0 : packet.fragmented,
                    startsHere: startsHere,
                    endsHere: endsHere,
                    rings: rings
                )
                if endsHere { deliverWhole(after: mcast, into: result) }
            }
        }
        if isNew { deliverWhole(after: mcast, into: result) }
    }

    /// Messages that have become whole with `mcast`.
    private mutating func deliverWhole(after mcast: Mcast<Corosync3>, into result: Dissection) {
        assembler.join(after: mcast.sequence, of: mcast.ring, rings: rings)
        while assembler.takeWhole({ position, message in
            CarriedMessageDissector.deliver(message, at: position, index: 0, into: result)
        }) {}
    }

    private func appendCarried(into result: Dissection) {
        for (index, carried) in result.carries.prefix(4).enumerated() {
            result.detail.append(index == 0 ? ": " : "; ")
            result.detail.append(carried, in: result.tree)
        }
        if result.carries.count > 4 {
            result.detail.append("; and ")
            result.detail.append(result.carries.count - 4)
            result.detail.append(" more")
        }
    }
}
