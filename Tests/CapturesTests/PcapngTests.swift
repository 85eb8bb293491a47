import Captures
import Glibc
import Testing
import WireFormat

@Suite struct PcapngTests {
    let folder = TemporaryFolder()

    func read(_ bytes: [UInt8]) throws -> (packets: [ReadPacket], error: CaptureError?) {
        folder.write(bytes, to: "x.pcapng")
        return ReadPacket.all(of: try PacketReader(path: folder.file("x.pcapng")))
    }

    /// Why a file whose only packet is in its last block is not read to the end.
    func reason(_ build: (inout CaptureFileBuilder) -> Void) throws -> String? {
        var file = CaptureFileBuilder()
        file.section(.little)
        build(&file)
        let (packets, error) = try read(file.bytes)
        #expect(packets.isEmpty)
        return error?.reason
    }

    @Test func everyBlockOfEveryByteOrder() throws {
        let (bytes, expected) = CaptureFileBuilder.everyBlock()
        let (packets, error) = try read(bytes)
        #expect(packets == expected)
        #expect(error == nil)
    }

    @Test func gzipped() throws {
        let (bytes, expected) = CaptureFileBuilder.everyBlock()
        // A file of two members, and something behind them that is none.
        let file = CaptureFileBuilder.gzip(Array(bytes[..<1000])) + CaptureFileBuilder.gzip(Array(bytes[1000...])) + [0, 0, 0]
        #expect(try read(file).packets == expected)
    }

    /// The interface of a later section that is described as one before is the same.
    @Test func interfacesAreToldOnce() throws {
        folder.write(CaptureFileBuilder.everyBlock().bytes, to: "x.pcapng")
        let reader = try PacketReader(path: folder.file("x.pcapng"))
        while try reader.next() != nil {}
        #expect(reader.interfaces.map(\.name) == ["eth0", "any", "tun0", ""])
        #expect(reader.interfaces.map(\.snapLength) == [8, 0, 0, 0])
    }

    /// tshark reads the same packets at the same times and of the same link types. (It takes the names of later sections' interfaces
    /// from the first section, so those are not compared.)
    @Test(.enabled(if: access("/usr/bin/tshark", X_OK) == 0, "there is no tshark"))
    func asTsharkReadsIt() throws {
        let (bytes, expected) = CaptureFileBuilder.everyBlock()
        folder.write(bytes, to: "x.pcapng")
        let fields = "-T fields -E occurrence=f -e frame.time_epoch -e frame.cap_len -e frame.len -e frame.encap_type"
        let lines = try TemporaryFolder.output(of: "tshark -n -r \(folder.file("x.pcapng")) \(fields)")
        // Wireshark's own numbers of the link types (wiretap/wtap.h).
        let encapsulations: [LinkType: Int] = [.ethernet: 1, .rawIP: 7, .linuxCooked: 25, .linuxCooked2: 210]
        // tshark gives a simple packet no time.
        var seen = expected.map { packet in
            let fraction = String(packet.time % 1_000_000_000)
            let time = "\(packet.time / 1_000_000_000).\(String(repeating: "0", count: 9 - fraction.count))\(fraction)"
            return "\(time)\t\(packet.bytes.count)\t\(packet.original)\t\(encapsulations[packet.linkType] ?? 0)"
        }
        seen[2] = "\t8\t11\t1"
        #expect(lines == seen)
    }

    @Test func timesAtTheEndsOfTheRange() throws {
        var file = CaptureFileBuilder()
        file.section(.little)
        for resolution: UInt8 in [0, 28, 0x80, 0x80 | 64, 0x80 | 93] { file.interface(linkType: 1, resolution: resolution) }
        file.interface(linkType: 1, resolution: 0, offset: .min)
        for interface: UInt32 in 0..<6 { file.enhancedPacket(interface: interface, time: .max, []) }
        let expected: [Int64] = [.max, 1, .max, 999_999_999, 1, .max]
        #expect(try read(file.bytes).packets.map(\.time) == expected)
    }

    @Test func damageIsToldWithItsPlace() throws {
        var (bytes, _) = CaptureFileBuilder.everyBlock()
        bytes.removeLast(3)
        let (packets, error) = try read(bytes)
        #expect(packets.count == 7)
        #expect(error?.place?.framesBefore == 7)
        #expect(error?.description == "\(folder.file("x.pcapng")): after frame 7, at byte \(bytes.count - 1): the file ends inside a block")
    }

    @Test func whatCannotBe() throws {
        #expect(try reason { $0.enhancedPacket(interface: 0, time: 0, [1]) } == "a packet of interface 0, but none was described before")
        #expect(
            try reason {
                $0.interface(linkType: 1)
                $0.enhancedPacket(interface: 1, time: 0, [1])
            } == "a packet of interface 1, but only 1 was described before"
        )
        #expect(try reason { $0.block(3) { _ in } } == "a block of 12 bytes is too short for what it should hold")
        #expect(
            try reason { file in
                file.block(1) {
                    $0.append(UInt64(1))
                    $0.append(UInt16(2))
                    $0.append(UInt16(500))
                }
            } == "an option of 500 bytes in a block that has 0 left"
        )
        #expect(try reason { $0.interface(linkType: 1, resolution: 100) } == "an interface whose time resolution has no meaning")
        #expect(
            try reason {
                $0.interface(linkType: 1)
                $0.append(UInt32(6))
                $0.append(UInt32(14))
            } == "a block has the impossible length 14"
        )
        #expect(
            try reason {
                $0.interface(linkType: 1)
                $0.bytes[$0.bytes.count - 4] += 4
            }?.contains("at its beginning") == true
        )
        #expect(
            try reason { file in
                file.interface(linkType: 1)
                file.block(6) {
                    $0.append(UInt32(0))
                    $0.append(UInt64(0))
                    $0.append(UInt32(300_000))
                    $0.append(UInt32(300_000))
                }
            } == "a packet of 300000 bytes; none has more than 262144"
        )
    }

    /// Cut anywhere and changed anywhere, a file gives packets and one error, and no more than it holds.
    @Test func hostileFiles() throws {
        // Without the block of 300,000 bytes, which would only take time.
        var file = CaptureFileBuilder()
        for order in [ByteOrder.little, .big] {
            file.section(order)
            file.interface(linkType: 1, name: "eth0")
            file.interface(linkType: 113, resolution: 9, offset: 5)
            for number in 0..<4 { file.enhancedPacket(interface: UInt32(number % 2), time: 5, [UInt8](repeating: 1, count: 9 * number)) }
            file.simplePacket([1, 2, 3, 4], original: 4)
        }
        let bytes = file.bytes
        for count in 12...bytes.count {
            guard let (packets, error) = try? read(Array(bytes[..<count])) else { continue }
            #expect(packets.count < 10 || count > bytes.count - 5)
            if let error { #expect(error.place?.offset ?? .max <= count) }
        }
        var generator = SplitMix(state: 0xB10C)
        for _ in 0..<1500 {
            var changed = bytes
            for _ in 0...generator.next(below: 4) { changed[generator.next(below: changed.count)] = UInt8(generator.next(below: 256)) }
            guard let (packets, _) = try? read(changed) else { continue }
            #expect(packets.count <= bytes.count / 16)
        }
    }
}
