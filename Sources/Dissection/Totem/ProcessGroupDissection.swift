import Captures
import TotemWire
import WireFormat

// What an mcast carries: a packet of totempg, and the messages that become whole with it.
extension TotemDissector {
    /// The process-group packet that starts at `start`, inside the mcast at `position`.
    mutating func dissectPieces(
        _ position: McastPosition,
        _ start: Int,
        _ bytes: UnsafeRawBufferPointer,
        isNew: Bool,
        into result: Dissection
    ) {
        result.upperProtocols.append(ProcessGroupPacket.protocolName)
        guard result.wantsFields || result.looksForCarried else { return }
        // Taken out, because what is delivered goes through here again.
        var packet = ProcessGroupPacket()
        swap(&packet, &pieces)
        defer { swap(&packet, &pieces) }
        var failure: WireError?
        if result.wantsFields {
            result.tree.takeApartLastField()
            result.tree.beginProtocol(ProcessGroupPacket.protocolName, at: start)
            var dissector = WireDissector(bytes, offset: start, byteOrder: position.byteOrder, sink: result.tree)
            do throws(WireError) { try packet.visit(&dissector) } catch { failure = error }
            endProtocol(at: dissector.offset, into: result)
        } else {
            var reader = WireReader(bytes, offset: start, byteOrder: position.byteOrder)
            do throws(WireError) { try packet.visit(&reader) } catch { failure = error }
        }
        guard result.looksForCarried else { return }
        if let failure {
            result.problems.add { $0.append(failure.description) }
            return
        }
        if !packet.lengthsAreSound(in: position.generation), result.content.problem == nil {
            result.problems.add {
                $0.append("the lengths of the messages do not add up to ")
                $0.append(packet.data.count)
                $0.append(" bytes")
            }
            // Daemons drop such a packet, or go on with what lies behind it (reference/totem-wire.md 5.4).
            return
        }
        // Pieces may never become a whole message: their bytes are shown.
        if result.wantsFields, packet.continuation == 0, packet.fragmented == 0 { result.tree.takeApartLastField() }
        deliver(packet, position, bytes, isNew: isNew, into: result)
    }

    private mutating func deliver(
        _ packet: ProcessGroupPacket,
        _ position: McastPosition,
        _ bytes: UnsafeRawBufferPointer,
        isNew: Bool,
        into result: Dissection
    ) {
        var start = packet.data.start
        for index in packet.messageLengths.indices {
            let end = start + Int(packet.messageLengths[index])
            let startsHere = index > 0 || packet.continuation == 0
            let endsHere = index < packet.messageLengths.count - 1 || packet.fragmented == 0
            guard end <= bytes.count else {
                // Of a message that the recording cut, what there is.
                if startsHere, endsHere, start < bytes.count, result.content.problem != nil {
                    let part = UnsafeRawBufferPointer(rebasing: bytes[start...])
                    CarriedMessageDissector.deliver(part, at: position, index: index, into: result)
                }
                return
            }
            let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            start = end
            if startsHere, endsHere {
                if isNew || (result.content.problem != nil && !isCopy) {
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
                if endsHere { deliverWhole(after: position, into: result) }
            }
        }
        if isNew { deliverWhole(after: position, into: result) }
    }

    /// Messages that have become whole with the mcast at `position`.
    mutating func deliverWhole(after position: McastPosition, into result: Dissection) {
        assembler.join(after: position, rings: rings)
        while assembler.takeWhole({ position, message in
            CarriedMessageDissector.deliver(message, at: position, index: 0, into: result)
        }) {}
    }
}
