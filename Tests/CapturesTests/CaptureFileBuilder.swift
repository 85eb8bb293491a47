import Captures
import WireFormat

/// Bytes of capture files, put together number by number.
struct CaptureFileBuilder {
    var byteOrder = ByteOrder.little
    var bytes: [UInt8] = []

    mutating func append(_ number: some FixedWidthInteger) {
        let ordered = byteOrder == .little ? number.littleEndian : number.bigEndian
        withUnsafeBytes(of: ordered) { bytes.append(contentsOf: $0) }
    }

    mutating func append(raw more: [UInt8]) {
        bytes.append(contentsOf: more)
    }

    mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    // MARK: pcap

    mutating func pcapHeader(magic: UInt32, linkType: UInt32, major: UInt16 = 2, minor: UInt16 = 4) {
        append(magic)
        append(major)
        append(minor)
        append(UInt64(0))
        append(UInt32(262_144))
        append(linkType)
    }

    mutating func pcapPacket(_ seconds: UInt32, _ fraction: UInt32, _ data: [UInt8], original: Int? = nil) {
        append(seconds)
        append(fraction)
        append(UInt32(data.count))
        append(UInt32(original ?? data.count))
        append(raw: data)
    }

    // MARK: pcapng

    mutating func block(_ type: UInt32, _ body: (inout CaptureFileBuilder) -> Void) {
        var inside = CaptureFileBuilder(byteOrder: byteOrder)
        body(&inside)
        inside.pad()
        append(type)
        append(UInt32(inside.bytes.count + 12))
        append(raw: inside.bytes)
        append(UInt32(inside.bytes.count + 12))
    }

    mutating func section(_ order: ByteOrder) {
        byteOrder = order
        block(0x0A0D_0D0A) {
            $0.append(UInt32(0x1A2B_3C4D))
            $0.append(UInt16(1))
            $0.append(UInt16(0))
            $0.append(Int64(-1))
        }
    }

    mutating func option(_ code: UInt16, _ value: [UInt8]) {
        append(code)
        append(UInt16(value.count))
        append(raw: value)
        pad()
    }

    mutating func interface(
        linkType: UInt16,
        snapLength: UInt32 = 0,
        name: String? = nil,
        resolution: UInt8? = nil,
        offset: Int64? = nil
    ) {
        block(1) {
            $0.append(linkType)
            $0.append(UInt16(0))
            $0.append(snapLength)
            if let name { $0.option(2, Array(name.utf8)) }
            // One that nobody knows.
            $0.option(0x7777, [1, 2, 3])
            if let resolution { $0.option(9, [resolution]) }
            if let offset {
                var number = CaptureFileBuilder(byteOrder: $0.byteOrder)
                number.append(offset)
                $0.option(14, number.bytes)
            }
            $0.option(0, [])
        }
    }

    mutating func enhancedPacket(interface: UInt32, time: UInt64, _ data: [UInt8], original: Int? = nil) {
        block(6) {
            $0.append(interface)
            $0.append(UInt32(time >> 32))
            $0.append(UInt32(truncatingIfNeeded: time))
            $0.append(UInt32(data.count))
            $0.append(UInt32(original ?? data.count))
            $0.append(raw: data)
            $0.pad()
            $0.option(1, Array("a comment".utf8))
            $0.option(0, [])
        }
    }

    mutating func oldPacket(interface: UInt16, time: UInt64, _ data: [UInt8]) {
        block(2) {
            $0.append(interface)
            $0.append(UInt16(3))
            $0.append(UInt32(time >> 32))
            $0.append(UInt32(truncatingIfNeeded: time))
            $0.append(UInt32(data.count))
            $0.append(UInt32(data.count))
            $0.append(raw: data)
        }
    }

    mutating func simplePacket(_ data: [UInt8], original: Int) {
        block(3) {
            $0.append(UInt32(original))
            $0.append(raw: data)
        }
    }

    // MARK: gzip

    /// `content` as one member of a gzip'd file, stored without compression (RFC 1951 section 3.2.4, RFC 1952 section 2.3).
    static func gzip(_ content: [UInt8]) -> [UInt8] {
        var file = CaptureFileBuilder()
        file.append(raw: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
        var rest = content[...]
        repeat {
            let piece = rest.prefix(60_000)
            rest = rest.dropFirst(60_000)
            file.append(raw: [rest.isEmpty ? 1 : 0])
            file.append(UInt16(piece.count))
            file.append(~UInt16(piece.count))
            file.append(raw: Array(piece))
        } while !rest.isEmpty
        file.append(checksum(content))
        file.append(UInt32(content.count))
        return file.bytes
    }

    /// The CRC of RFC 1952 section 8.
    private static func checksum(_ content: [UInt8]) -> UInt32 {
        var value = UInt32.max
        for byte in content {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
        }
        return ~value
    }
}

extension CaptureFileBuilder {
    /// A file with everything in it that a pcapng file can have, and what its packets are.
    static func everyBlock() -> (bytes: [UInt8], packets: [ReadPacket]) {
        var file = CaptureFileBuilder()
        file.section(.little)
        file.interface(linkType: 1, snapLength: 8, name: "eth0")
        file.interface(linkType: 113, name: "any", resolution: 9, offset: 100)
        file.block(5) { $0.append(raw: [UInt8](repeating: 0, count: 12)) }
        file.enhancedPacket(interface: 0, time: 1_700_000_000_000_001, [1, 2, 3], original: 60)
        file.enhancedPacket(interface: 1, time: 1_700_000_000_000_000_002, [4, 5, 6, 7])
        file.simplePacket([1, 2, 3, 4, 5, 6, 7, 8], original: 11)
        file.block(0x4000_0001) { $0.append(raw: [UInt8](repeating: 7, count: 300_000)) }
        file.section(.big)
        file.interface(linkType: 101, name: "tun0", resolution: 0x80 | 20)
        file.enhancedPacket(interface: 0, time: 1_700_000_001 << 20 | 1 << 19, [8])
        file.oldPacket(interface: 0, time: 1_700_000_001 << 20 | 3 << 18, [9, 9])
        file.section(.little)
        file.interface(linkType: 276, resolution: 3, offset: -1)
        file.interface(linkType: 1, snapLength: 8, name: "eth0")
        file.enhancedPacket(interface: 0, time: 1_700_000_003_001, [10])
        file.enhancedPacket(interface: 1, time: 1_700_000_003_000_000, [])
        let packets = [
            ReadPacket(1_700_000_000_000_001_000, .ethernet, "eth0", [1, 2, 3], original: 60),
            ReadPacket(1_700_000_100_000_000_002, .linuxCooked, "any", [4, 5, 6, 7]),
            ReadPacket(1_700_000_100_000_000_002, .ethernet, "eth0", [1, 2, 3, 4, 5, 6, 7, 8], original: 11),
            ReadPacket(1_700_000_001_500_000_000, .rawIP, "tun0", [8]),
            ReadPacket(1_700_000_001_750_000_000, .rawIP, "tun0", [9, 9]),
            ReadPacket(1_700_000_002_001_000_000, .linuxCooked2, "", [10]),
            ReadPacket(1_700_000_003_000_000_000, .ethernet, "eth0", []),
        ]
        return (file.bytes, packets)
    }
}
