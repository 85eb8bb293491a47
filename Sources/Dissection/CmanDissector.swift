import Captures
import CmanWire
import WireFormat

/// Recognises packets of legacy cman and says what they mean.
struct CmanDissector {
    private var conversations = CmanConversations()

    /// Whether `payload` is cman's; then `result` holds what it means.
    mutating func dissect(_ payload: UnsafeRawBufferPointer, into result: Dissection) -> Bool {
        guard let source = result.content.sourceEndpoint, let destination = result.content.destinationEndpoint else { return false }
        guard let recognition = CmanRecognition(payload, from: source, to: destination, &conversations) else {
            return dissectShort(payload, port: destination.port, into: result)
        }
        var packet = CmanPacket(shapeOf: payload, of: recognition.generation)
        let start = result.tree.nodes.count
        result.tree.beginBytes(payload)
        result.tree.beginProtocol(CmanPacket.protocolName, at: 0)
        var dissector = WireDissector(payload, sink: result.tree)
        var failure: WireError?
        do throws(WireError) { try packet.visit(&dissector) } catch { failure = error }
        result.tree.endProtocol(at: dissector.offset)

        result.dialect = Dialect(recognition.generation)
        for generation in CmanGeneration.allCases where recognition.others.contains(CmanGenerations(generation)) {
            result.alternatives.append(Dialect(generation))
        }
        result.upperProtocols.append(CmanPacket.protocolName)
        result.message = packet.body.name
        result.node = UInt32(bitPattern: packet.header.sourceID)
        if let failure {
            result.problems.add { $0.append(failure.description) }
        } else {
            judge(packet, into: result)
        }
        explain(recognition, into: result)
        if result.interest.contains(.text) {
            CmanSummary(tree: result.tree, start: start).append(packet, isComplete: failure == nil, to: &result.detail)
        }
        if failure == nil, case .data = packet.body { dissectProgram(packet, payload, into: result) }
        result.ownNodes = result.tree.nodes.count
        if result.interest.contains(.text) { noteRepetition(packet, payload, from: source, into: result) }
        return true
    }

    private mutating func noteRepetition(
        _ packet: CmanPacket,
        _ payload: UnsafeRawBufferPointer,
        from source: Endpoint,
        into result: Dissection
    ) {
        guard packet.header.sequence != 0, !packet.header.flags.meant.contains(.noAck) else { return }
        let body = UnsafeRawBufferPointer(rebasing: payload[packet.generation.headerSize...])
        guard
            let frame = conversations.repeated(
                packet.header,
                body: body,
                from: source.address,
                frame: result.frame,
                time: result.time
            )
        else { return }
        result.notes.add {
            $0.append("repeats frame ")
            $0.append(frame)
        }
    }

    /// A packet that ends inside the header is cman's when what there is of it belongs to a known conversation.
    private func dissectShort(_ payload: UnsafeRawBufferPointer, port: UInt16, into result: Dissection) -> Bool {
        let generation = [CmanGeneration.cman5, .cman2b].first { generation in
            let offset = CmanHeader.clusterOffset(hasShortHeader: generation.hasShortHeader)
            guard payload.count < generation.headerSize, payload.count >= offset + 2 else { return false }
            let cluster = UInt16(payload[offset]) | UInt16(payload[offset + 1]) << 8
            return conversations.memory(port: port, cluster: cluster, hasShortHeader: generation.hasShortHeader) != nil
        }
        guard let generation else { return false }
        result.tree.beginBytes(payload)
        result.tree.beginProtocol(CmanPacket.protocolName, at: 0)
        var dissector = WireDissector(payload, sink: result.tree)
        var packet = CmanPacket(of: generation)
        do throws(WireError) {
            try packet.visit(&dissector)
        } catch {
            result.problems.add { $0.append(error.description) }
        }
        result.tree.endProtocol(at: dissector.offset)
        result.ownNodes = result.tree.nodes.count
        result.dialect = Dialect(generation)
        result.upperProtocols.append(CmanPacket.protocolName)
        result.detail.append(payload.count)
        result.detail.append(" bytes")
        return true
    }

    /// Says what the generation is told by, where this packet tells something new.
    private func explain(_ recognition: CmanRecognition, into result: Dissection) {
        if let reason = recognition.reason {
            result.notes.add {
                $0.append(recognition.generation.name)
                $0.append(" told by ")
                $0.append(reason)
            }
        } else if recognition.isFirst {
            result.notes.add {
                $0.append("taken for ")
                $0.append(recognition.generation.name)
                $0.append(": header, command and length fit")
            }
        }
    }

    /// Takes apart what a known program sends behind cman's header.
    private func dissectProgram(_ packet: CmanPacket, _ payload: UnsafeRawBufferPointer, into result: Dissection) {
        let bytes = UnsafeRawBufferPointer(rebasing: payload[packet.payload.range])
        switch packet.header.targetPort {
        case CmanPort.serviceManager where GroupdMessage.matches(bytes):
            guard let message = dissect(GroupdMessage(), named: GroupdMessage.protocolName, in: packet, payload, into: result) else {
                return
            }
            if let kind = message.kind { result.message = kind.name }
            result.detail.append(" ")
            message.name.withUnsafeBytes { result.detail.append(foreign: $0) }
            result.detail.append(" event ")
            result.detail.append(message.eventID)
        case CmanPort.clvmd where ClvmdMessage.matches(bytes):
            guard let message = dissect(ClvmdMessage(), named: ClvmdMessage.protocolName, in: packet, payload, into: result) else { return }
            result.detail.append(" clvmd ")
            if let kind = message.kind { result.detail.append(kind.name) }
            if !message.lockName.isEmpty {
                result.detail.append(" ")
                message.lockName.withUnsafeBytes { result.detail.append(foreign: $0) }
            }
            result.detail.append(" xid ")
            result.detail.append(message.transactionID)
        default: break
        }
    }

    /// Adds the fields of `message`, which is the payload of `packet`, to the tree; nil when it cannot be read to its end.
    private func dissect<Message: WireStructure>(
        _ message: Message,
        named name: StaticString,
        in packet: CmanPacket,
        _ payload: UnsafeRawBufferPointer,
        into result: Dissection
    ) -> Message? {
        var message = message
        result.tree.takeApartLastField()
        result.upperProtocols.append(name)
        result.tree.beginProtocol(name, at: packet.payload.start)
        var dissector = WireDissector(payload, offset: packet.payload.start, sink: result.tree)
        defer { result.tree.endProtocol(at: dissector.offset) }
        do throws(WireError) {
            try message.visit(&dissector)
            return message
        } catch {
            result.problems.add { $0.append(error.description) }
            return nil
        }
    }

    /// Bytes that were read and are odd all the same.
    private func judge(_ packet: CmanPacket, into result: Dissection) {
        if packet.header.flags.areBigEndian {
            result.notes.add {
                $0.append("flags in the byte order of a big-endian sender: ")
                $0.append(meaningOf: UInt64(packet.header.flags.meant.rawValue), .flags(CmanFlags.labels))
            }
        }
        switch packet.body {
        case .data: return
        case .unknown(let command):
            result.problems.add {
                $0.append("unknown command ")
                $0.append(command)
                $0.append(" of port ")
                $0.append(packet.header.targetPort)
            }
        case .joinReq(let request):
            if request.major != packet.generation.majorVersion {
                result.notes.add {
                    $0.append("asks to join with protocol version ")
                    $0.append(request.major)
                }
            }
            if cmanClusterNumber(request.clusterName) != packet.header.cluster {
                result.notes.add {
                    $0.append("cluster number ")
                    $0.append(packet.header.cluster)
                    $0.append(" is not that of the cluster's name")
                }
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

extension Dialect {
    /// The dialect of a generation of legacy cman.
    init(_ generation: CmanGeneration) {
        switch generation {
        case .cman2a: self = .cman2a
        case .cman2b: self = .cman2b
        case .cman3: self = .cman3
        case .cman4: self = .cman4
        case .cman5: self = .cman5
        }
    }
}
