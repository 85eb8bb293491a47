import TotemWire
import WireFormat

/// Takes whole messages of the process groups apart.
enum CarriedMessageDissector {
    /// One message of the process groups, whose last byte is in message `index` of the packet at `position`. Of a message that the
    /// recording cut, what there is.
    static func deliver(
        _ message: UnsafeRawBufferPointer,
        at position: McastPosition,
        index: Int,
        into result: Dissection
    ) {
        let first = result.tree.nodes.count
        var carried = CarriedMessage(
            message: "totempg.message",
            sender: position.sender,
            order: DeliveryOrder(ring: position.ring.id, sequence: position.sequence, index: index),
            nodes: first..<first,
            contentNodes: first..<first
        )
        if position.generation == .totem2005 {
            // No process groups yet: whatever is said is cman's, which alone has ids of nodes (reference/ais-behaviour.md 8).
            dissect(message, in: .cman, position, &carried, into: result)
        } else if let (group, content) = dissectGroupHeader(of: message, position.byteOrder, into: result) {
            dissect(UnsafeRawBufferPointer(rebasing: message[content.range]), in: group, position, &carried, into: result)
        } else {
            carried.contentNodes = first..<result.tree.nodes.count
        }
        carried.nodes = first..<result.tree.nodes.count
        result.carries.append(carried)
    }

    /// The group that a message is for, and where the rest of it is; nil for groups of programs.
    private static func dissectGroupHeader(
        of message: UnsafeRawBufferPointer,
        _ byteOrder: ByteOrder,
        into result: Dissection
    ) -> (ServiceGroup, ByteRange)? {
        result.tree.beginBytes(message)
        result.tree.beginProtocol(GroupHeader.protocolName, at: 0)
        // Taken out and put back, so that its memory is used again.
        var header = GroupHeader()
        swap(&header, &result.groupHeader)
        defer { swap(&header, &result.groupHeader) }
        var dissector = WireDissector(message, byteOrder: byteOrder, sink: result.tree)
        defer { result.tree.endProtocol(at: dissector.offset) }
        do throws(WireError) {
            try header.visit(&dissector)
        } catch {
            result.problems.add { $0.append(error.description) }
            return nil
        }
        guard let group = header.names.first?.withUnsafeBytes({ ServiceGroup(name: $0) }) else { return nil }
        result.tree.takeApartLastField()
        return (group, header.message)
    }

    /// What was said in `group`.
    private static func dissect(
        _ content: UnsafeRawBufferPointer,
        in group: ServiceGroup,
        _ position: McastPosition,
        _ carried: inout CarriedMessage,
        into result: Dissection
    ) {
        let first = result.tree.nodes.count
        var hasBegun = false
        defer { carried.contentNodes = first..<result.tree.nodes.count }
        result.tree.beginBytes(content)
        var dissector = WireDissector(content, byteOrder: position.byteOrder, sink: result.tree)
        carried.message = group.unknownMessageName
        do throws(WireError) {
            var message = try ServiceMessage(matching: content, in: group, of: position.generation, byteOrder: position.byteOrder)
            carried.kind = message.kind
            if let kind = message.kind { carried.message = kind.name }
            hasBegun = true
            result.tree.beginProtocol(message.kind?.protocolName ?? group.protocolName, at: 0)
            defer { result.tree.endProtocol(at: dissector.offset) }
            try message.visit(&dissector)
            if case .cman(let cman) = message.body, position.generation == .totem2005, let id = UInt32(exactly: cman.header.srcid), id > 0 {
                carried.sender = id
            }
            note(message, in: group, position.generation, into: result)
        } catch {
            if !hasBegun {
                // The message ends inside the header by which messages are told apart.
                result.tree.beginProtocol(group.protocolName, at: 0)
                var header = ServiceHeader(of: position.generation)
                try? dissector.structure("header", &header)
                result.tree.endProtocol(at: dissector.offset)
            }
            result.problems.add { $0.append(error.description) }
        }
    }

    /// What is odd about a message that could be read.
    private static func note(_ message: ServiceMessage, in group: ServiceGroup, _ generation: TotemGeneration, into result: Dissection) {
        switch message.body {
        case .unknown(let header):
            result.notes.add {
                $0.append(generation.name)
                if group != .services {
                    $0.append(" has no message ")
                    $0.append(header.id)
                    $0.append(" in group ")
                    $0.append(group.name)
                } else if let service = ClusterService(number: header.service, in: generation) {
                    $0.append(" has no known function ")
                    $0.append(header.function)
                    $0.append(" of service ")
                    $0.append(service.name)
                } else {
                    $0.append(" has no service ")
                    $0.append(header.service)
                }
            }
        case .cman(let cman):
            if case .unknown(let command) = cman.body {
                result.notes.add {
                    $0.append("cman has no command ")
                    $0.append(command)
                }
            }
        default:
            break
        }
        if let kind = message.kind, message.trailing.count > 0 {
            result.notes.add {
                $0.append(message.trailing.count)
                $0.append(" bytes behind ")
                $0.append(kind.name)
            }
        }
    }
}

extension ServiceGroup {
    /// The name of a message of which only the group is known.
    fileprivate var unknownMessageName: StaticString {
        switch self {
        case .services: "service.unknown"
        case .synchronisation: "sync.unknown"
        case .syncv2: "syncv2.unknown"
        case .ykd: "ykd.unknown"
        case .cman: "cman.unknown"
        }
    }
}
