import TotemWire
import WireFormat

/// Takes whole messages of the process groups apart.
enum CarriedMessageDissector {
    /// The name of a message of which only the group is known.
    private static let unknownMessage = "totempg.message"

    /// One whole message of the process groups, whose last byte is in message `index` of the packet at `position`.
    static func deliver(
        _ message: UnsafeRawBufferPointer,
        at position: McastPosition,
        index: Int,
        into result: Dissection
    ) {
        let byteOrder = position.byteOrder
        let tree = result.tree
        let first = tree.nodes.count
        var content = first
        var name = unknownMessage
        tree.beginBytes(message)
        tree.beginProtocol(GroupHeader.protocolName, at: 0)
        var header = GroupHeader()
        var dissector = WireDissector(message, byteOrder: byteOrder, sink: tree)
        do throws(WireError) {
            defer { tree.endProtocol(at: dissector.offset) }
            try header.visit(&dissector)
        } catch {
            result.problems.add { $0.append(error.description) }
        }
        if let group = header.names.first.flatMap({ name in name.withUnsafeBytes { ServiceGroup(name: $0) } }) {
            tree.takeApartLastField()
            content = tree.nodes.count
            let bytes = UnsafeRawBufferPointer(rebasing: message[header.message.range])
            do throws(WireError) {
                name = try dissectService(bytes, group, position.generation, byteOrder, into: result)
            } catch {
                result.problems.add { $0.append(error.description) }
            }
        }
        result.carries.append(
            CarriedMessage(
                message: name,
                sender: position.sender,
                order: DeliveryOrder(ring: position.ring.id, sequence: position.sequence, index: index),
                nodes: first..<tree.nodes.count,
                contentNodes: content..<tree.nodes.count
            )
        )
    }

    /// A message of one of corosync's services; its name.
    private static func dissectService(
        _ content: UnsafeRawBufferPointer,
        _ group: ServiceGroup,
        _ generation: TotemGeneration,
        _ byteOrder: ByteOrder,
        into result: Dissection
    ) throws(WireError) -> String {
        var message = try ServiceMessage(matching: content, in: group, of: generation, byteOrder: byteOrder)
        result.tree.beginBytes(content)
        result.tree.beginProtocol(message.kind?.protocolName ?? group.protocolName, at: 0)
        var dissector = WireDissector(content, byteOrder: byteOrder, sink: result.tree)
        defer { result.tree.endProtocol(at: dissector.offset) }
        try message.visit(&dissector)
        return message.kind?.name.description ?? unknownMessage
    }
}
