import CmanWire
import Dissection
import TotemWire
import WireFormat

/// Writes what was read and compares.
enum RoundTrip {
    /// Which layer of a packet is written otherwise than it was read, knet's or the message's: its name and the offset.
    static func difference(_ packet: Dissection) throws -> (String, Int)? {
        for index in 0..<packet.ownNodes {
            guard case .protocol = packet.tree.nodes[index].kind, let layer = Layer(packet.tree.nodes[index].name) else { continue }
            let start = packet.tree.nodes[index].range.start
            let place = packet.tree.withBytes(ofNode: index) { bytes -> Result<Int?, WireError> in
                let read = UnsafeRawBufferPointer(rebasing: bytes[start...])
                return Result { () throws(WireError) in firstDifference(read, try written(read, layer, of: packet.dialect)) }
            }
            if let offset = try place.get() { return (layer == .knet ? "knet" : packet.message.description, start + offset) }
        }
        return nil
    }

    /// A layer of a packet that has a layout of its own.
    private enum Layer {
        case knet
        case totem
        case cman

        init?(_ name: StaticString) {
            switch name.description {
            case KnetPacket.protocolName.description: self = .knet
            case "totem": self = .totem
            case "cman": self = .cman
            default: return nil
            }
        }
    }

    private static func written(_ bytes: UnsafeRawBufferPointer, _ layer: Layer, of dialect: Dialect?) throws(WireError) -> [UInt8] {
        switch (layer, dialect?.generation) {
        case (.knet, _): try knetWritten(bytes)
        case (.totem, let generation?): try totemWritten(bytes, of: generation)
        default: try cmanWritten(bytes, of: CmanGeneration.allCases.first { $0.name.description == dialect?.name.description } ?? .cman5)
        }
    }

    private static func knetWritten(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        let byteOrder = KnetPacket.byteOrder(of: bytes)
        var packet = try KnetPacket(reading: bytes, byteOrder: byteOrder)
        let payload = UnsafeRawBufferPointer(rebasing: bytes[packet.payload.range])
        return try WrittenBytes.of(capacity: bytes.count, byteOrder: byteOrder) { writer throws(WireError) in
            try packet.visit(&writer)
            try writer.append(payload)
        }
    }

    private static func totemWritten(_ message: UnsafeRawBufferPointer, of generation: TotemGeneration) throws(WireError) -> [UInt8] {
        if let (_, byteOrder) = RingTest.identify(message), [.corosync1, .corosync2].contains(generation) {
            var test = try RingTest(reading: message, byteOrder: byteOrder)
            return try WrittenBytes.of(capacity: message.count, byteOrder: byteOrder) { writer throws(WireError) in
                try test.visit(&writer)
                // What follows is no part of the test.
                try writer.append(UnsafeRawBufferPointer(rebasing: message[min(RingTest.size, message.count)...]))
            }
        }
        return switch generation {
        case .totem2005: try TotemPacket<OpenAIS2005>(reading: message).bytes(of: message)
        case .openais080: try TotemPacket<OpenAIS080>(reading: message).bytes(of: message)
        case .corosync1: try TotemPacket<Corosync1>(reading: message).bytes(of: message)
        case .corosync2: try TotemPacket<Corosync2>(reading: message).bytes(of: message)
        case .corosync3: try TotemPacket<Corosync3>(reading: message).bytes(of: message)
        }
    }

    private static func cmanWritten(_ message: UnsafeRawBufferPointer, of generation: CmanGeneration) throws(WireError) -> [UInt8] {
        // A packet that ends inside the header holds no message.
        guard message.count >= generation.headerSize else { return Array(message) }
        var packet = try CmanPacket(reading: message, of: generation)
        let payload = UnsafeRawBufferPointer(rebasing: message[packet.payload.range])
        return try WrittenBytes.of(capacity: message.count, byteOrder: .little) { writer throws(WireError) in
            try packet.visit(&writer)
            try writer.append(payload)
        }
    }

    /// Where a carried message, or its group header, is written otherwise than it was read.
    static func difference(_ carried: CarriedMessage, in packet: Dissection) throws -> Int? {
        let byteOrderOf2005 = byteOrderOf2005(packet)
        let place = packet.tree.withBytes(ofNode: carried.nodes.lowerBound) { whole -> Result<Int?, WireError> in
            Result { () throws(WireError) in
                switch packet.dialect?.generation {
                case nil: return try recordDifference(whole)
                case .totem2005?:
                    // There were no process groups yet, whose header tells the byte order of what follows.
                    return try difference(whole, in: .cman, of: .totem2005, byteOrderOf2005)
                case let generation?:
                    for byteOrder in [ByteOrder.little, .big] {
                        // Which byte order the sender has is told by its packet; only one of the two fits a group header.
                        guard let header = try? GroupHeader(reading: whole, byteOrder: byteOrder) else { continue }
                        return try difference(whole, header, generation, byteOrder)
                    }
                    return nil
                }
            }
        }
        return try place.get()
    }

    /// The byte order of the sender of a packet of 2005, and so of the messages that it carries.
    private static func byteOrderOf2005(_ packet: Dissection) -> ByteOrder {
        for index in 0..<packet.ownNodes {
            guard case .protocol = packet.tree.nodes[index].kind, packet.tree.nodes[index].name.description == "totem" else { continue }
            let start = packet.tree.nodes[index].range.start
            return packet.tree.withBytes(ofNode: index) { OpenAIS2005.byteOrder(of: UnsafeRawBufferPointer(rebasing: $0[start...])) }
                ?? .little
        }
        return .little
    }

    /// Where a record of the kernel DLM, the only carried message of packets without a dialect, is written otherwise.
    private static func recordDifference(_ whole: UnsafeRawBufferPointer) throws(WireError) -> Int? {
        guard case .record(let generation, _) = DLMFraming(startOf: whole) else { return nil }
        var record = DLMRecord(shapeOf: whole, of: generation)
        var reader = WireReader(whole)
        try record.visit(&reader)
        let trailing = UnsafeRawBufferPointer(rebasing: whole[record.trailing.range])
        let written = try WrittenBytes.of(capacity: whole.count, byteOrder: .little) { writer throws(WireError) in
            try record.visit(&writer)
            try writer.append(trailing)
        }
        return firstDifference(whole, written)
    }

    private static func difference(
        _ whole: UnsafeRawBufferPointer,
        _ header: GroupHeader,
        _ generation: TotemGeneration,
        _ byteOrder: ByteOrder
    ) throws(WireError) -> Int? {
        var header = header
        let content = UnsafeRawBufferPointer(rebasing: whole[header.message.range])
        let outer = try WrittenBytes.of(capacity: whole.count, byteOrder: byteOrder) { writer throws(WireError) in
            try header.visit(&writer)
            try writer.append(content)
        }
        if let offset = firstDifference(whole, outer) { return offset }
        guard let group = header.names.first.flatMap({ name in name.withUnsafeBytes { ServiceGroup(name: $0) } }) else { return nil }
        return try difference(content, in: group, of: generation, byteOrder).map { $0 + header.message.start }
    }

    private static func difference(
        _ content: UnsafeRawBufferPointer,
        in group: ServiceGroup,
        of generation: TotemGeneration,
        _ byteOrder: ByteOrder
    ) throws(WireError) -> Int? {
        var message = try ServiceMessage(reading: content, in: group, of: generation, byteOrder: byteOrder)
        let written = try WrittenBytes.of(capacity: content.count, byteOrder: byteOrder) { writer throws(WireError) in
            try message.visit(&writer)
            try writer.append(UnsafeRawBufferPointer(rebasing: content[message.rest.range]))
        }
        return firstDifference(content, written)
    }

    private static func firstDifference(_ read: UnsafeRawBufferPointer, _ written: [UInt8]) -> Int? {
        if read.elementsEqual(written) { return nil }
        return zip(read, written).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(read.count, written.count)
    }
}

/// Bytes that a writer made.
enum WrittenBytes {
    /// What `visit` writes. A layout that writes more than it has read is wrong and told by the difference, so some more is let through.
    static func of(
        capacity: Int,
        byteOrder: ByteOrder,
        _ visit: (inout WireWriter) throws(WireError) -> Void
    ) throws(WireError) -> [UInt8] {
        var output = [UInt8](repeating: 0xA5, count: capacity + 64)
        let result = output.withUnsafeMutableBytes { buffer -> Result<Int, WireError> in
            Result { () throws(WireError) in
                var writer = WireWriter(buffer, byteOrder: byteOrder)
                try visit(&writer)
                return writer.offset
            }
        }
        output.removeLast(output.count - (try result.get()))
        return output
    }
}
