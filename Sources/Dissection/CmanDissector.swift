import Captures
import CmanWire
import WireFormat

/// Recognises packets of legacy cman and says what they mean.
struct CmanDissector {
    private var conversations = CmanConversations()

    /// The highest node id (reference/cman-wire.md 2.1).
    private static let nodeIDLimit: Int32 = 4096
    private static let knownFlags: CmanFlags = [
        .dontWait, .noAck, .queue, .multicast, .allInterfaces, .replyExpected, .broadcastSelf,
    ]
    /// The port of cman unless another was configured.
    private static let usualPort: UInt16 = 6809

    /// Whether `payload` is cman's; then `result` holds what it means.
    mutating func dissect(_ payload: UnsafeRawBufferPointer, into result: Dissection) -> Bool {
        guard let source = result.content.sourceEndpoint, let destination = result.content.destinationEndpoint else { return false }
        guard payload.count >= CmanHeader.size else { return dissectShort(payload, into: result) }
        var packet = CmanPacket(shapeOf: payload)
        let start = result.tree.nodes.count
        result.tree.beginBytes(payload)
        result.tree.beginProtocol(CmanPacket.protocolName, at: 0)
        var dissector = WireDissector(payload, sink: result.tree)
        var failure: WireError?
        do throws(WireError) { try packet.visit(&dissector) } catch { failure = error }
        result.tree.endProtocol(at: dissector.offset)

        let cluster = packet.header.cluster
        let isKnown = conversations.contains(port: destination.port, cluster: cluster)
        guard isKnown || Self.isPlausible(packet, payload: payload, failure: failure, source: source, destination: destination) else {
            result.tree.removeAll()
            return false
        }
        conversations.insert(port: destination.port, cluster: cluster)
        conversations.insert(port: source.port, cluster: cluster)
        result.ownNodes = result.tree.nodes.count
        result.dialect = .cman5
        result.upperProtocols.append(CmanPacket.protocolName)
        result.message = packet.body.name
        result.node = UInt32(bitPattern: packet.header.sourceID)
        if Self.isBareHeader(packet.body) { result.alternatives.append(contentsOf: [.cman3, .cman4]) }
        if let failure {
            result.problems.add { $0.append(failure.description) }
        } else {
            judge(packet, payload: payload, into: result)
        }
        CmanSummary(tree: result.tree, start: start).append(packet, isComplete: failure == nil, to: &result.detail)
        if packet.header.sequence != 0, !packet.header.flags.contains(.noAck) {
            let body = UnsafeRawBufferPointer(rebasing: payload[CmanHeader.size...])
            if let frame = conversations.repeated(
                packet.header,
                body: body,
                from: source.address,
                frame: result.frame,
                time: result.time
            ) {
                result.notes.add {
                    $0.append("repeats frame ")
                    $0.append(frame)
                }
            }
        }
        return true
    }

    /// A packet that ends inside the header is cman's when what there is of it belongs to a known conversation.
    private func dissectShort(_ payload: UnsafeRawBufferPointer, into result: Dissection) -> Bool {
        guard let port = result.content.destinationEndpoint?.port, payload.count >= 8,
            conversations.contains(port: port, cluster: UInt16(payload[6]) | UInt16(payload[7]) << 8)
        else { return false }
        result.tree.beginBytes(payload)
        result.tree.beginProtocol(CmanPacket.protocolName, at: 0)
        var dissector = WireDissector(payload, sink: result.tree)
        var header = CmanHeader()
        do throws(WireError) {
            try header.visit(&dissector)
        } catch {
            result.problems.add { $0.append(error.description) }
        }
        result.tree.endProtocol(at: dissector.offset)
        result.ownNodes = result.tree.nodes.count
        result.dialect = .cman5
        result.upperProtocols.append(CmanPacket.protocolName)
        result.detail.append(payload.count)
        result.detail.append(" bytes")
        return true
    }

    /// Whether a packet of no known conversation can only be cman's, or can well be.
    private static func isPlausible(
        _ packet: CmanPacket,
        payload: UnsafeRawBufferPointer,
        failure: WireError?,
        source: Endpoint,
        destination: Endpoint
    ) -> Bool {
        let header = packet.header
        guard failure == nil, (0...nodeIDLimit).contains(header.sourceID), (0...nodeIDLimit).contains(header.targetID) else {
            return false
        }
        switch packet.body {
        case .unknown: return false
        // Behind the header a program's message can hold anything, so the usual port must add to the evidence.
        case .data:
            return header.sourceID > 0 && header.sequence > 0 && knownFlags.isSuperset(of: header.flags) && source.port == usualPort
                && destination.port == usualPort
        case .ack: return header.sequence == 0 && packet.payload.count == 0
        default: return packet.payload.count == 0
        }
    }

    /// Messages without any field behind the command, and programs' messages: the header is all there is of cman, and it is the same
    /// since cman-3 (reference/cman-wire.md 12.1).
    private static func isBareHeader(_ body: CmanBody) -> Bool {
        switch body {
        case .kill, .joinRej, .transition, .confAck, .data: true
        default: false
        }
    }

    /// Bytes that were read and are odd all the same.
    private func judge(_ packet: CmanPacket, payload: UnsafeRawBufferPointer, into result: Dissection) {
        switch packet.body {
        case .data: return
        case .unknown(let command):
            result.problems.add {
                $0.append("unknown command ")
                $0.append(command)
                $0.append(" of port ")
                $0.append(packet.header.targetPort)
            }
        case .joinReq(let request) where request.major != 5:
            result.notes.add {
                $0.append("asks to join with protocol version ")
                $0.append(request.major)
            }
        default: break
        }
        if packet.payload.count > 0 {
            result.notes.add {
                $0.append(packet.payload.count)
                $0.append(" bytes behind the message")
            }
        }
    }
}
