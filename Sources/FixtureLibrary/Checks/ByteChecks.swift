import CmanWire
import Dissection
import TotemWire
import WireFormat

/// Checks of the bytes of every packet: that each belongs to a field, and that what was read gives the same bytes when it is written.
struct ByteChecks {
    private var packets = 0
    private var messages = 0
    /// The first byte of no field.
    private var unaccounted: String?
    /// The first packet that is written otherwise than it was read.
    private var different: String?

    /// Looks at one packet.
    mutating func take(_ packet: Dissection) {
        guard packet.dialect != nil, packet.ownNodes > 0 else { return }
        packets += 1
        if unaccounted == nil, packet.problems.isEmpty, let byte = packet.tree.firstUnaccountedByte() {
            unaccounted =
                "frame \(packet.frame), \(packet.message), \(byte.protocolName): byte \(byte.offset) of \(byte.count) belongs to no field"
        }
        if different == nil { compare(packet) }
    }

    private mutating func compare(_ packet: Dissection) {
        do {
            if let (field, offset) = try RoundTrip.difference(packet) {
                different = "frame \(packet.frame), \(field): written otherwise than read from byte \(offset) on"
            }
            for carried in packet.carries {
                messages += 1
                guard let offset = try RoundTrip.difference(carried, in: packet) else { continue }
                different = "frame \(packet.frame), \(carried.message): written otherwise than read from byte \(offset) on"
                break
            }
        } catch {
            // What cannot be read is told by the packet's problems.
            guard packet.problems.isEmpty else { return }
            different = "frame \(packet.frame), \(packet.message): \(error)"
        }
    }

    /// Every byte belongs to a field.
    var accounting: CheckOutcome {
        if let unaccounted { return .failed(unaccounted) }
        return packets == 0 ? .skipped("no packet of a known dialect") : .passed("every byte of \(packets) packets")
    }

    /// Parse then write is the identity.
    var roundTrip: CheckOutcome {
        if let different { return .failed(different) }
        return packets == 0 ? .skipped("no packet of a known dialect") : .passed("\(packets) packets, \(messages) carried messages")
    }
}

/// Writes what was read and compares.
enum RoundTrip {
    /// Where the message of a packet is written otherwise than it was read: its name and the offset.
    static func difference(_ packet: Dissection) throws -> (String, Int)? {
        guard let start = protocolStart(packet), let dialect = packet.dialect else { return nil }
        let place = packet.tree.withBytes(ofNode: start.node) { bytes -> Result<Int?, WireError> in
            let message = UnsafeRawBufferPointer(rebasing: bytes[start.offset...])
            return Result { () throws(WireError) in firstDifference(message, try written(message, of: dialect)) }
        }
        return try place.get().map { (packet.message.description, start.offset + $0) }
    }

    /// Where the fields of `cman` or `totem` begin.
    private static func protocolStart(_ packet: Dissection) -> (node: Int, offset: Int)? {
        for index in 0..<packet.ownNodes {
            guard case .protocol = packet.tree.nodes[index].kind else { continue }
            let name = packet.tree.nodes[index].name.description
            if name == "totem" || name == "cman" { return (index, packet.tree.nodes[index].range.start) }
        }
        return nil
    }

    private static func written(_ message: UnsafeRawBufferPointer, of dialect: Dialect) throws(WireError) -> [UInt8] {
        if let (_, byteOrder) = RingTest.identify(message), [.corosync1, .corosync2].contains(dialect.generation) {
            var test = try RingTest(reading: message, byteOrder: byteOrder)
            return try WrittenBytes.of(capacity: message.count, byteOrder: byteOrder) { writer throws(WireError) in
                try test.visit(&writer)
                // What follows is no part of the test.
                try writer.append(UnsafeRawBufferPointer(rebasing: message[min(RingTest.size, message.count)...]))
            }
        }
        return switch dialect.generation {
        case .totem2005?: try TotemPacket<OpenAIS2005>(reading: message).bytes(of: message)
        case .openais080?: try TotemPacket<OpenAIS080>(reading: message).bytes(of: message)
        case .corosync1?: try TotemPacket<Corosync1>(reading: message).bytes(of: message)
        case .corosync2?: try TotemPacket<Corosync2>(reading: message).bytes(of: message)
        case .corosync3?: try TotemPacket<Corosync3>(reading: message).bytes(of: message)
        case nil: try cmanWritten(message, of: CmanGeneration.allCases.first { $0.name.description == dialect.name.description } ?? .cman5)
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
        guard let generation = packet.dialect?.generation, generation != .totem2005 else { return nil }
        let place = packet.tree.withBytes(ofNode: carried.nodes.lowerBound) { whole -> Result<Int?, WireError> in
            Result { () throws(WireError) in
                for byteOrder in [ByteOrder.little, .big] {
                    // Which byte order the sender has is told by its packet; only one of the two fits a group header.
                    guard let header = try? GroupHeader(reading: whole, byteOrder: byteOrder) else { continue }
                    return try difference(whole, header, generation, byteOrder)
                }
                return nil
            }
        }
        return try place.get()
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
        var message = try ServiceMessage(reading: content, in: group, of: generation, byteOrder: byteOrder)
        let inner = try WrittenBytes.of(capacity: content.count, byteOrder: byteOrder) { writer throws(WireError) in
            try message.visit(&writer)
            try writer.append(UnsafeRawBufferPointer(rebasing: content[message.rest.range]))
        }
        return firstDifference(content, inner).map { $0 + header.message.start }
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
