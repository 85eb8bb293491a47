import TotemWire
import WireFormat

/// A message of a service above Totem, of any generation, in either byte order.
struct ServicesTarget: FuzzTarget {
    func run(_ input: UnsafeRawBufferPointer) {
        var choices = ChoiceReader(input)
        let generation = choices.choice(of: TotemGeneration.allCases)
        let group = choices.choice(of: ServiceGroup.allCases)
        let byteOrder: ByteOrder = choices.choice(2) == 0 ? .little : .big
        let payload = choices.rest
        guard var message = try? ServiceMessage(reading: payload, in: group, of: generation, byteOrder: byteOrder) else { return }
        var written = [UInt8](repeating: 0, count: payload.count + 64)
        let rest = message.rest
        let count = written.withUnsafeMutableBytes { buffer -> Int? in
            var writer = WireWriter(buffer, byteOrder: byteOrder)
            guard (try? message.visit(&writer)) != nil, (try? writer.append(payload[rest.range])) != nil else { return nil }
            return writer.offset
        }
        guard let count else { fatalError("cannot be written") }
        expectSame(Array(written[..<count]), payload, "\(generation.name) \(group)")
    }
}
