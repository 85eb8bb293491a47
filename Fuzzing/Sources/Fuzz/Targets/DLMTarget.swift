import CmanWire
import WireFormat

/// Bytes of a stream of the kernel DLM.
struct DLMTarget: FuzzTarget {
    func run(_ input: UnsafeRawBufferPointer) {
        var rest = input
        while !rest.isEmpty {
            guard case .record(let generation, let length) = DLMFraming(startOf: rest), length <= rest.count, length > 0 else {
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
                continue
            }
            read(UnsafeRawBufferPointer(rebasing: rest.prefix(length)), generation)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(length))
        }
    }

    private func read(_ bytes: UnsafeRawBufferPointer, _ generation: DLMGeneration) {
        var record = DLMRecord(shapeOf: bytes, of: generation)
        var reader = WireReader(bytes)
        guard (try? record.visit(&reader)) != nil else { return }
        var written = [UInt8](repeating: 0, count: bytes.count + 64)
        let trailing = record.trailing
        let count = written.withUnsafeMutableBytes { buffer -> Int? in
            var writer = WireWriter(buffer)
            guard (try? record.visit(&writer)) != nil, (try? writer.append(bytes[trailing.range])) != nil else { return nil }
            return writer.offset
        }
        guard let count else { fatalError("cannot be written") }
        expectSame(Array(written[..<count]), bytes, "\(generation.name)")
    }
}
