import WireFormat

/// Endpoints as text, ready to be copied: a recording has few of them, and every packet has two. A table of fixed size, in which the
/// place of an endpoint depends on its address; who needs the place of another pushes it out.
final class EndpointNames {
    /// The longest: an IPv6 address of 39 characters in brackets, a colon and a port. All of it is copied, however much of it counts.
    static let room = 48

    private struct Entry {
        var endpoint = Endpoint(IPAddress(ipv4: 0), 0)
        /// Length of the text; 0 in an empty place.
        var count = 0
        var text = InlineArray<48, UInt8>(repeating: 0)
    }

    private static let size = 256
    private let entries: UnsafeMutablePointer<Entry>
    private var scratch = TextBuffer()

    init() {
        entries = .allocate(capacity: Self.size)
        entries.initialize(repeating: Entry(), count: Self.size)
    }

    deinit {
        entries.deallocate()
    }

    /// Appends `endpoint` as `TextBuffer.append` does; `writer` has room for `room` bytes.
    @inline(__always)
    func append(_ endpoint: Endpoint, to writer: inout TextWriter) {
        // A number below `size`: the upper eight bits of a product, which depend on all bits.
        let mixed = (endpoint.address.bits ^ UInt64(endpoint.port) << 40) &* 0x9E37_79B9_7F4A_7C15
        let entry = entries + Int(mixed >> 56)
        if entry.pointee.endpoint != endpoint || entry.pointee.count == 0 { fill(entry, endpoint) }
        withUnsafePointer(to: &entry.pointee.text) {
            UnsafeMutableRawPointer(writer.place).copyMemory(from: $0, byteCount: Self.room)
        }
        writer.advance(entry.pointee.count)
    }

    @inline(never)
    private func fill(_ entry: UnsafeMutablePointer<Entry>, _ endpoint: Endpoint) {
        scratch.removeAll()
        scratch.append(endpoint)
        entry.pointee.endpoint = endpoint
        entry.pointee.count = scratch.count
        for (index, byte) in scratch.bytes.prefix(Self.room).enumerated() { entry.pointee.text[index] = byte }
    }
}

extension IPAddress {
    /// A number that depends on all of the address.
    @inline(__always)
    var bits: UInt64 {
        if let number = ipv4Number { return UInt64(number) }
        let numbers = ipv6Numbers ?? (0, 0)
        return numbers.high &* 31 &+ numbers.low
    }
}
