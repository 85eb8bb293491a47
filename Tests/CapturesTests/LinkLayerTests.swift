import Captures
import Glibc
import Testing
import WireFormat

/// One datagram below every header that a capture can have, as this library and as tshark see it.
@Suite struct LinkLayerTests {
    /// Number of the link type in a file, and the frame.
    struct Frame {
        var linkType: UInt16
        var bytes: [UInt8]
    }

    static let payload: [UInt8] = Array("ring".utf8) + [0, 1, 254, 255]
    static let version4 = DecapsulatorTests.ipv4(DecapsulatorTests.udp(payload))
    static let version6 = DecapsulatorTests.ipv6(DecapsulatorTests.udp(payload), next: 17)

    /// IPv4 with 24 bytes of options.
    static let options: [UInt8] = {
        var packet = version4
        packet[0] = 0x4B
        packet[3] += 24
        packet.insert(contentsOf: [0x94, 4, 0, 0] + [UInt8](repeating: 1, count: 19) + [0], at: 20)
        return packet
    }()

    /// Every extension header that can stand before UDP.
    static let extensions: [UInt8] = {
        let hopByHop: [UInt8] = [60, 0, 1, 4, 0, 0, 0, 0]
        let destination: [UInt8] = [43, 1, 1, 12] + [UInt8](repeating: 0, count: 12)
        let routing: [UInt8] = [51, 0, 0, 0, 0, 0, 0, 0]
        let authentication: [UInt8] = [44, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] + [UInt8](repeating: 9, count: 12)
        let atomicFragment: [UInt8] = [17, 0, 0, 0, 0, 0, 0, 9]
        let body = hopByHop + destination + routing + authentication + atomicFragment + DecapsulatorTests.udp(payload)
        return DecapsulatorTests.ipv6(body, next: 0)
    }()

    static let frames: [Frame] = {
        var frames: [Frame] = []
        let tags: [[UInt8]] = [
            [], [0x81, 0, 0x60, 5], [0x88, 0xA8, 0, 5, 0x81, 0, 0, 6], [0x91, 0, 0, 5, 0x81, 0, 0, 6],
            [0x88, 0xA8, 0, 1, 0x88, 0xA8, 0, 2, 0x81, 0, 0, 3],
        ]
        let packets: [(type: [UInt8], packet: [UInt8])] = [
            ([8, 0], version4), ([0x86, 0xDD], version6), ([8, 0], options), ([0x86, 0xDD], extensions),
        ]
        for (type, packet) in packets {
            for tag in tags {
                frames.append(Frame(linkType: 1, bytes: DecapsulatorTests.ethernet + tag + type + packet))
            }
            for tag in tags.prefix(2) {
                let cooked: [UInt8] = [0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]
                frames.append(Frame(linkType: 113, bytes: cooked + tag + type + packet))
            }
            let cooked2: [UInt8] = [0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0]
            frames.append(Frame(linkType: 276, bytes: type + cooked2 + packet))
        }
        for (packet, families) in [(version4, [2]), (version6, [24, 28, 30])] as [([UInt8], [UInt8])] {
            for linkType: UInt16 in [12, 14, 101, packet == version4 ? 228 : 229] {
                frames.append(Frame(linkType: linkType, bytes: packet))
            }
            for family in families {
                frames.append(Frame(linkType: 0, bytes: [family, 0, 0, 0] + packet))
                frames.append(Frame(linkType: 0, bytes: [0, 0, 0, family] + packet))
            }
            frames.append(Frame(linkType: 108, bytes: [0, 0, 0, families[0]] + packet))
        }
        return frames
    }()

    /// A pcapng file with the frames, each on an interface of its own.
    static func file() -> [UInt8] {
        var file = CaptureFileBuilder()
        file.section(.little)
        for frame in frames { file.interface(linkType: frame.linkType) }
        for (index, frame) in frames.enumerated() { file.enhancedPacket(interface: UInt32(index), time: UInt64(index), frame.bytes) }
        return file.bytes
    }

    /// What is below UDP, as tshark's columns would say it.
    static func view(_ source: any PacketSource) throws -> [String] {
        var decapsulator = Decapsulator()
        var views: [String] = []
        while let packet = try source.next() {
            let content = decapsulator.decapsulate(packet)
            #expect(content.problem == nil, "frame \(packet.frame)")
            let hexadecimal = decapsulator.withPayload(of: content, in: packet) { bytes in
                bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
            let source = content.sourceEndpoint?.description ?? "?"
            views.append("\(source) \(content.destinationEndpoint?.description ?? "?") \(hexadecimal)")
        }
        return views
    }

    @Test func everyFrame() throws {
        let folder = TemporaryFolder()
        folder.write(Self.file(), to: "links.pcapng")
        let views = try Self.view(try PacketReader(path: folder.file("links.pcapng")))
        #expect(views.count == Self.frames.count)
        for (index, view) in views.enumerated() {
            let isVersion6 = Self.frames[index].bytes.contains(0xFD)
            let addresses = isVersion6 ? "[fd00::1]:1000 [fd00::2]:2000" : "10.0.0.1:1000 10.0.0.2:2000"
            #expect(view == "\(addresses) 72696e670001feff", "frame \(index + 1), link type \(Self.frames[index].linkType)")
        }
    }

    @Test(.enabled(if: access("/usr/bin/tshark", X_OK) == 0, "there is no tshark"))
    func asTsharkSeesThem() throws {
        let folder = TemporaryFolder()
        folder.write(Self.file(), to: "links.pcapng")
        let path = folder.file("links.pcapng")
        let fields = "-e ip.src -e ipv6.src -e udp.srcport -e ip.dst -e ipv6.dst -e udp.dstport -e udp.payload"
        let lines = try TemporaryFolder.output(of: "tshark -n -o udp.check_checksum:FALSE -r \(path) -T fields -E separator=, \(fields)")
        let theirs = lines.map { line in
            let parts = line.split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count == 7 else { return line }
            return parts[0].isEmpty
                ? "[\(parts[1])]:\(parts[2]) [\(parts[4])]:\(parts[5]) \(parts[6])"
                : "\(parts[0]):\(parts[2]) \(parts[3]):\(parts[5]) \(parts[6])"
        }
        #expect(try Self.view(try PacketReader(path: path)) == theirs)
    }

    /// Of a frame that was cut anywhere, or whose lengths promise more than there is, everything that is there is shown.
    @Test func shortFrames() {
        let frame = DecapsulatorTests.ethernet + [8, 0] + Self.version4
        for count in 42..<frame.count {
            let cut = DecapsulatorTests.run([frame], linkType: .ethernet, cutTo: count)
            let short = DecapsulatorTests.run([Array(frame[..<count])], linkType: .ethernet)
            let payload = Array(Self.payload[..<(count - 42)])
            #expect(cut == [.init(kind: .datagram, payload: payload, problem: .cut(recorded: count, original: frame.count))])
            #expect(short == [.init(kind: .datagram, payload: payload, problem: .invalidLength(.ipv4, Self.version4.count))])
        }
        let frame6 = DecapsulatorTests.ethernet + [0x86, 0xDD] + Self.version6
        let short = DecapsulatorTests.run([Array(frame6.dropLast(3))], linkType: .ethernet)
        #expect(short == [.init(kind: .datagram, payload: Self.payload.dropLast(3), problem: .invalidLength(.ipv6, 16))])
    }

    /// Frames of other protocols are no damaged IP.
    @Test func otherProtocols() {
        #expect(DecapsulatorTests.run([[7, 0, 0, 0, 1, 2, 3]], linkType: .loopback) == [.init(kind: .other)])
        #expect(DecapsulatorTests.run([DecapsulatorTests.ethernet + [0, 3, 0x42, 0x42, 3]], linkType: .ethernet) == [.init(kind: .other)])
        #expect(DecapsulatorTests.run([[1, 2, 3]], linkType: .unsupported(147)) == [.init(kind: .other)])
    }
}
