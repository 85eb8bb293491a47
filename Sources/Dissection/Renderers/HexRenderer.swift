import Captures

/// The bytes of packets in hexadecimal and ASCII, as tshark's `-x`: the frame, and blocks of their own for what was put together from
/// several frames, decrypted or inflated.
public struct HexRenderer: PacketRenderer {
    private var before: any PacketRenderer

    /// A renderer that shows the bytes behind what `before` shows of each packet.
    public init(after before: any PacketRenderer) {
        self.before = before
    }

    public var needsFrames: Bool { true }

    public mutating func begin(to text: inout TextBuffer) { before.begin(to: &text) }

    public mutating func end(to text: inout TextBuffer) { before.end(to: &text) }

    public mutating func append(_ packet: Dissection, to text: inout TextBuffer) {
        before.append(packet, to: &text)
        let blocks = packet.tree.runs.indices.filter { Self.title(of: packet.tree.runs[$0].origin, packet) != nil }
        if !packet.headers.runs.isEmpty {
            packet.headers.withBytes(ofRun: 0) { bytes in
                if !blocks.isEmpty { Self.append(title: "Frame", bytes.count, to: &text) }
                Self.append(bytes, to: &text)
            }
        }
        for index in blocks {
            packet.tree.withBytes(ofRun: index) { bytes in
                guard let title = Self.title(of: packet.tree.runs[index].origin, packet) else { return }
                Self.append(title: title, bytes.count, to: &text)
                Self.append(bytes, to: &text)
            }
        }
        text.append("\n")
    }

    /// The heading of bytes that the frame does not hold as they are; nil for those that it does.
    private static func title(of origin: ByteRun.Origin, _ packet: Dissection) -> StaticString? {
        switch origin {
        case .datagram: packet.content.fragments > 1 ? "Payload reassembled from IP fragments" : nil
        case .decrypted: "Decrypted"
        case .decompressed: "Decompressed"
        case .reassembled: "Reassembled message"
        case .frame, .part: nil
        }
    }

    private static func append(title: StaticString, _ count: Int, to text: inout TextBuffer) {
        text.append(title)
        text.append(" (")
        text.append(count)
        text.append(" bytes):\n")
    }

    private static func append(_ bytes: UnsafeRawBufferPointer, to text: inout TextBuffer) {
        var start = 0
        while start < bytes.count {
            let end = min(start + 16, bytes.count)
            text.append(offset: start)
            text.append(" ")
            for index in start..<end {
                text.append(" ")
                text.append(hexadecimalByte: bytes[index])
            }
            for _ in end..<start + 16 { text.append("   ") }
            text.append("   ")
            for index in start..<end {
                text.append(byte: (0x20..<0x7F).contains(bytes[index]) ? bytes[index] : UInt8(ascii: "."))
            }
            text.append("\n")
            start = end
        }
    }
}

extension TextBuffer {
    /// At least four hexadecimal digits.
    fileprivate mutating func append(offset: Int) {
        if offset > 0xFFFF_FFFF { append(hexadecimalByte: UInt8(truncatingIfNeeded: offset >> 32)) }
        if offset > 0xFF_FFFF { append(hexadecimalByte: UInt8(truncatingIfNeeded: offset >> 24)) }
        if offset > 0xFFFF { append(hexadecimalByte: UInt8(truncatingIfNeeded: offset >> 16)) }
        append(hexadecimalByte: UInt8(truncatingIfNeeded: offset >> 8))
        append(hexadecimalByte: UInt8(truncatingIfNeeded: offset))
    }
}
