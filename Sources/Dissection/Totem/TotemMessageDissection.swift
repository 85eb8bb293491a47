import Captures
import TotemWire
import WireFormat

// One message of the single ring protocol. What is generic over the dialect ends where an mcast's place is known: everything behind it is
// the same for all.
extension TotemDissector {
    static let protocolName: StaticString = "totem"

    /// A message of `dialect`, without any envelope; what its header says when that is known already.
    mutating func dissect<Dialect: TotemDialect>(
        _ dialect: Dialect.Type,
        _ bytes: UnsafeRawBufferPointer,
        identified: (TotemMessageKind, ByteOrder)? = nil,
        into result: Dissection
    ) {
        result.upperProtocols.append(Self.protocolName)
        if result.wantsFields { result.tree.beginProtocol(Self.protocolName, at: 0) }
        do throws(WireError) {
            let (kind, byteOrder) = if let identified { identified } else { try TotemPacket<Dialect>.identify(bytes) }
            result.message = kind.name
            guard result.looksInside else { return }
            switch kind {
            case .token: try dissect(tokenOf: dialect, bytes, byteOrder, into: result)
            case .mcast: try dissect(mcastOf: dialect, bytes, byteOrder, into: result)
            case .mergeDetect:
                var detect = MergeDetect<Dialect>()
                guard let end = try read(&detect, of: dialect, bytes, byteOrder, into: result) else { return }
                conclude(dialect, detect.header, detect.ring, end: end, of: bytes, into: result)
                result.detail.append(RingID(detect.ring))
            case .join:
                var join = MemberJoin<Dialect>()
                guard let end = try read(&join, of: dialect, bytes, byteOrder, into: result) else { return }
                conclude(dialect, join.header, nil, end: end, of: bytes, into: result)
                result.detail.append(join)
                // A LEAVE has no node id in its header (reference/totem-engine.md 8).
                if join.isLeave { result.node = join.systemFrom.nodeID }
            case .commitToken:
                var token = CommitToken<Dialect>()
                guard let end = try read(&token, of: dialect, bytes, byteOrder, into: result) else { return }
                conclude(dialect, token.header, token.ring, end: end, of: bytes, into: result)
                result.detail.append(token)
            case .holdCancel:
                var cancel = HoldCancel<Dialect>()
                guard let end = try read(&cancel, of: dialect, bytes, byteOrder, into: result) else { return }
                conclude(dialect, cancel.header, cancel.ring, end: end, of: bytes, into: result)
                result.detail.append(RingID(cancel.ring))
            }
        } catch {
            result.problems.add { $0.append(error.description) }
            endProtocol(at: bytes.count, into: result)
        }
    }

    private mutating func dissect<Dialect: TotemDialect>(
        tokenOf dialect: Dialect.Type,
        _ bytes: UnsafeRawBufferPointer,
        _ byteOrder: ByteOrder,
        into result: Dissection
    ) throws(WireError) {
        var token = OrfToken<Dialect>()
        guard let end = try read(&token, of: dialect, bytes, byteOrder, into: result) else { return }
        result.node = token.header.sender ?? result.content.senderNumber
        if result.interest.contains(.text) {
            result.detail.append(token)
            note(tokenOf: RingKey(token.ring, in: Dialect.generation), from: result.node ?? 0, token.tokenSequence, into: result)
        }
        conclude(dialect, token.header, token.ring, end: end, of: bytes, into: result)
    }

    private mutating func dissect<Dialect: TotemDialect>(
        mcastOf dialect: Dialect.Type,
        _ bytes: UnsafeRawBufferPointer,
        _ byteOrder: ByteOrder,
        into result: Dissection
    ) throws(WireError) {
        var mcast = Mcast<Dialect>()
        guard try read(&mcast, of: dialect, bytes, byteOrder, into: result) != nil else { return }
        result.node = mcast.header.sender
        result.ring = RingID(mcast.ring)
        if result.node == 0 || result.node == nil { result.node = mcast.systemFrom.nodeID }
        dissect(mcast, bytes, byteOrder, into: result)
    }

    /// Reads a message, with its fields when they are wanted, and says where it ends; nil when it cannot be read.
    private func read<Dialect: TotemDialect, Message: WireStructure>(
        _ message: inout Message,
        of dialect: Dialect.Type,
        _ bytes: UnsafeRawBufferPointer,
        _ byteOrder: ByteOrder,
        into result: Dissection
    ) throws(WireError) -> Int? {
        var end = 0
        do throws(WireError) {
            if result.wantsFields {
                var dissector = WireDissector(bytes, byteOrder: byteOrder, sink: result.tree)
                defer { end = dissector.offset }
                try message.visit(&dissector)
            } else {
                var reader = WireReader(bytes, byteOrder: byteOrder)
                try message.visit(&reader)
                end = reader.offset
            }
            return end
        } catch {
            // What was read of it is in the tree; nothing is concluded from it but who sent it.
            result.problems.add { $0.append(error.description) }
            result.node = try Dialect.Header(reading: bytes, byteOrder: byteOrder).sender ?? result.content.senderNumber
            endProtocol(at: end, into: result)
            return nil
        }
    }

    /// What is the same for all messages that carry nothing.
    private func conclude<Dialect: TotemDialect>(
        _ dialect: Dialect.Type,
        _ header: Dialect.Header,
        _ ring: Dialect.Ring?,
        end: Int,
        of bytes: UnsafeRawBufferPointer,
        into result: Dissection
    ) {
        result.node = header.sender ?? result.content.senderNumber
        result.ring = ring.map { RingID($0) }
        endProtocol(at: end, into: result)
        noteRest(bytes.count - end, into: result)
    }

    func endProtocol(at offset: Int, into result: Dissection) {
        guard result.wantsFields else { return }
        result.tree.endProtocol(at: offset)
        result.ownNodes = result.tree.nodes.count
    }

    /// Bytes behind the message.
    private func noteRest(_ count: Int, into result: Dissection) {
        guard count > 0, result.problems.isEmpty else { return }
        result.notes.add {
            $0.append(count)
            $0.append(" bytes behind the message")
        }
    }

    private mutating func note(tokenOf ring: RingKey, from sender: UInt32, _ sequence: UInt32, into result: Dissection) {
        guard result.problems.isEmpty, !isCopy else { return }
        let destination = result.content.destination
        let index = rings.index(of: ring)
        guard let last = rings[index].lastToken, last.sender == sender, last.sequence == sequence else {
            rings[index].lastToken = LastToken(frame: result.frame, sender: sender, sequence: sequence, destination: destination)
            return
        }
        result.notes.add {
            $0.append(last.destination == destination ? "token sent again, first in frame " : "copy on another ring: repeats frame ")
            $0.append(last.frame)
        }
    }

    // MARK: the redundant ring

    /// A test of a faulty ring.
    mutating func dissect(
        _ kind: RingTestKind,
        _ bytes: UnsafeRawBufferPointer,
        _ byteOrder: ByteOrder,
        into result: Dissection
    ) {
        result.message = kind.name
        result.upperProtocols.append(Self.protocolName)
        var test = RingTest()
        do throws(WireError) {
            if result.wantsFields {
                result.tree.beginProtocol(Self.protocolName, at: 0)
                var dissector = WireDissector(bytes, byteOrder: byteOrder, sink: result.tree)
                defer { endProtocol(at: dissector.offset, into: result) }
                try test.visit(&dissector)
            } else {
                test = try RingTest(reading: bytes, byteOrder: byteOrder)
            }
            result.node = UInt32(bitPattern: test.activator)
            result.detail.append("ring ")
            result.detail.append(test.ringNumber)
            result.detail.append(" begun by node ")
            result.detail.append(test.activator)
            noteRest(bytes.count - RingTest.size, into: result)
        } catch {
            result.problems.add { $0.append(error.description) }
        }
    }

    // MARK: mcast

    private mutating func dissect<Dialect: TotemDialect>(
        _ mcast: Mcast<Dialect>,
        _ bytes: UnsafeRawBufferPointer,
        _ byteOrder: ByteOrder,
        into result: Dissection
    ) {
        if result.interest.contains(.text) { result.detail.append(mcast) }
        let position = McastPosition(mcast, Dialect.generation, byteOrder)
        let abandoned = assembler.abandoned
        let isWhole = result.content.problem == nil && result.problems.isEmpty
        let isRecovery = mcast.header.encapsulated == Mcast<Dialect>.encapsulatedInRecovery
        let isNew =
            isWhole && !isCopy && result.looksForCarried
            && remember(position, bytes, mcast.payload, isInStream: !isRecovery, in: position.ring, into: result)
        if isRecovery {
            dissectRecovery(mcast, bytes, outer: position, outerIsNew: isNew, into: result)
            if isNew { deliverWhole(after: position, into: result) }
        } else {
            endProtocol(at: mcast.payload.start, into: result)
            dissectPieces(position, mcast.payload.start, bytes, isNew: isNew, into: result)
        }
        guard result.interest.contains(.text) else { return }
        appendCarried(into: result)
        if assembler.abandoned > abandoned {
            result.notes.add {
                $0.append(assembler.abandoned - abandoned)
                $0.append(" unfinished messages given up for want of room")
            }
        }
    }

    /// A message of an old ring inside one of the new ring.
    private mutating func dissectRecovery<Dialect: TotemDialect>(
        _ mcast: Mcast<Dialect>,
        _ bytes: UnsafeRawBufferPointer,
        outer: McastPosition,
        outerIsNew: Bool,
        into result: Dissection
    ) {
        let inner = UnsafeRawBufferPointer(rebasing: bytes[mcast.payload.range])
        let byteOrder = Dialect.byteOrder(of: inner) ?? .little
        var recovered = Mcast<Dialect>()
        var end = mcast.payload.start
        do throws(WireError) {
            if result.wantsFields {
                result.tree.takeApartLastField()
                var dissector = WireDissector(bytes, offset: mcast.payload.start, byteOrder: byteOrder, sink: result.tree)
                defer { end = dissector.offset }
                try dissector.structure("recovered", &recovered)
            } else {
                var reader = WireReader(bytes, offset: mcast.payload.start, byteOrder: byteOrder)
                try reader.structure("recovered", &recovered)
            }
        } catch {
            result.problems.add { $0.append(error.description) }
            endProtocol(at: end, into: result)
            return
        }
        endProtocol(at: recovered.payload.start, into: result)
        if result.interest.contains(.text) {
            result.detail.append(" recovers ")
            result.detail.append(recovered)
        }
        let position = McastPosition(recovered, Dialect.generation, byteOrder)
        let isNew = outerIsNew && remember(position, bytes, recovered.payload, isInStream: true, in: outer.ring, into: result)
        dissectPieces(position, recovered.payload.start, bytes, isNew: isNew, into: result)
    }

    /// Whether an mcast, which came in ring `current`, is seen for the first time; a copy is noted.
    private mutating func remember(
        _ position: McastPosition,
        _ bytes: UnsafeRawBufferPointer,
        _ payload: ByteRange,
        isInStream: Bool,
        in current: RingKey,
        into result: Dissection
    ) -> Bool {
        let destination = result.content.destinationEndpoint ?? Endpoint(IPAddress(ipv4: 0), 0)
        let record = McastRecord(
            sequence: position.sequence,
            frame: result.frame,
            sender: position.sender,
            digest: digest.digest(of: UnsafeRawBufferPointer(rebasing: bytes[payload.range])),
            isInStream: isInStream,
            destination: destination
        )
        let index = rings.index(of: position.ring)
        guard let known = rings[index].record(position.sequence) else {
            noteGap(before: position, rings[index], into: result)
            rings[index].insert(record)
            return true
        }
        guard known.digest == record.digest, known.sender == position.sender else {
            result.notes.add {
                $0.append("differs from frame ")
                $0.append(known.frame)
                $0.append(", which has the same ring and sequence number")
            }
            rings[index].insert(record)
            return true
        }
        result.notes.add {
            if position.ring != current {
                $0.append("recovery: ")
            } else if known.destination == destination {
                $0.append("retransmission: ")
            } else if destination.address.isForMany {
                $0.append("copy on another ring: ")
            } else {
                $0.append("copy for another receiver: ")
            }
            $0.append("repeats frame ")
            $0.append(known.frame)
        }
        return false
    }

    private func noteGap(before position: McastPosition, _ history: RingHistory, into result: Dissection) {
        guard let highest = history.highest else {
            if position.sequence > 1 {
                result.notes.add {
                    $0.append("the first message of ring ")
                    $0.append(position.ring.id)
                    $0.append(" in this recording")
                }
            }
            return
        }
        let gap = position.sequence &- highest
        guard gap > 1, gap < RingHistory.window else { return }
        result.notes.add {
            $0.append("sequence numbers ")
            $0.append(highest &+ 1)
            if gap > 2 {
                $0.append("...")
                $0.append(position.sequence &- 1)
            }
            $0.append(" have not been seen yet")
        }
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

extension Decapsulation {
    /// The sender as generations without node ids know it: its IPv4 address as a number.
    fileprivate var senderNumber: UInt32? { source?.ipv4Number }
}
