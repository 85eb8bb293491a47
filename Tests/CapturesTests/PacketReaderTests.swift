import CaptureSupport
import Captures
import Glibc
import Testing
import WireFormat

@Suite struct PacketReaderTests {
    let folder = TemporaryFolder()

    func read(_ bytes: [UInt8]) throws -> (packets: [ReadPacket], error: CaptureError?) {
        folder.write(bytes, to: "x.pcap")
        return ReadPacket.all(of: try PacketReader(path: folder.file("x.pcap")))
    }

    @Test func aMissingFileIsAnErrorThatNamesIt() throws {
        let error = #expect(throws: CaptureError.self) { try PacketReader(path: "/nonexistent/x.pcap") }
        #expect(error?.description == "/nonexistent/x.pcap: No such file or directory")
        let folderError = #expect(throws: CaptureError.self) { try PacketReader(path: folder.path) }
        #expect(folderError?.description == "\(folder.path): Is a directory")
    }

    @Test func aFileThatIsNoCaptureIsAnError() {
        func reason(_ bytes: [UInt8]) -> String? {
            folder.write(bytes, to: "text")
            return #expect(throws: CaptureError.self) { try PacketReader(path: folder.file("text")) }?.reason
        }
        #expect(reason(Array("this is not a capture, it is a text".utf8)) == "it is neither pcap nor pcapng")
        #expect(reason([]) == "it is empty")
        #expect(reason([0xD4, 0xC3]) == "it is neither pcap nor pcapng")
        #expect(reason([0xD4, 0xC3, 0xB2, 0xA1, 2, 0]) == "it ends inside its header")
        #expect(
            reason([0x0A, 0x0D, 0x0D, 0x0A, 28, 0, 0, 0, 1, 2, 3, 4]) == "a section header without the magic number of either byte order"
        )
        #expect(reason([0x1F, 0x8B, 9, 9, 9])?.hasPrefix("the compressed data are damaged") == true)
        var old = CaptureFileBuilder()
        old.pcapHeader(magic: 0xA1B2_C3D4, linkType: 1, minor: 2)
        #expect(reason(old.bytes) == "pcap version 2.2 is not read, 2.4 is")
    }

    /// Either byte order, with micro- and nanoseconds, plain and gzip'd.
    @Test(arguments: [ByteOrder.little, .big], [1000, 1])
    func everyPcap(byteOrder: ByteOrder, nanosecondsPerUnit: Int64) throws {
        var file = CaptureFileBuilder(byteOrder: byteOrder)
        // What stands above the link type is the length of the frames' check sequences.
        file.pcapHeader(magic: nanosecondsPerUnit == 1 ? 0xA1B2_3C4D : 0xA1B2_C3D4, linkType: 0x2400_0001)
        file.pcapPacket(1_700_000_000, 999_999, [1, 2, 3], original: 99)
        file.pcapPacket(UInt32.max, 1, [])
        let expected = [
            ReadPacket(1_700_000_000_000_000_000 + 999_999 * nanosecondsPerUnit, .ethernet, nil, [1, 2, 3], original: 99),
            ReadPacket(4_294_967_295_000_000_000 + nanosecondsPerUnit, .ethernet, nil, []),
        ]
        #expect(try read(file.bytes).packets == expected)
        #expect(try read(CaptureFileBuilder.gzip(file.bytes)).packets == expected)
    }

    @Test(
        arguments: zip(
            [1, 101, 12, 14, 228, 229, 113, 276, 0, 108, 147],
            ["ethernet"] + .init(repeating: "rawIP", count: 5) + [
                "linuxCooked", "linuxCooked2", "loopback", "openBSDLoopback", "unsupported(147)",
            ]
        )
    )
    func linkTypes(number: UInt32, name: String) throws {
        var file = CaptureFileBuilder()
        file.pcapHeader(magic: 0xA1B2_C3D4, linkType: number)
        file.pcapPacket(0, 0, [])
        #expect(try read(file.bytes).packets.map { "\($0.linkType)" } == [name])
    }

    /// Packets of every size up to the largest, which a window of bytes must hold.
    @Test func sizesThatGrow() throws {
        var file = CaptureFileBuilder()
        file.pcapHeader(magic: 0xA1B2_C3D4, linkType: 1)
        let sizes = [0, 1, 1 << 16, 1, 1 << 17, 262_144, 3, 200_000]
        for (index, size) in sizes.enumerated() { file.pcapPacket(0, 0, [UInt8](repeating: UInt8(index), count: size)) }
        let expected = sizes.enumerated().map { ReadPacket(0, .ethernet, nil, [UInt8](repeating: UInt8($0), count: $1)) }
        #expect(try read(file.bytes).packets == expected)
        #expect(try read(CaptureFileBuilder.gzip(file.bytes)).packets == expected)
        file.pcapPacket(0, 0, [UInt8](repeating: 0, count: 262_145))
        let (packets, error) = try read(file.bytes)
        #expect(packets == expected)
        #expect(
            error?.description.hasSuffix(
                "after frame 8, at byte \(file.bytes.count - 262_145 - 16): a packet of 262145 bytes; none has more than 262144"
            ) == true
        )
    }

    /// What a pipe has is handed on, and before waiting for more the reader says so.
    @Test func pipes() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        func send(_ bytes: [UInt8]) { #expect(write(ends[1], bytes, bytes.count) == bytes.count) }
        var file = CaptureFileBuilder()
        file.pcapHeader(magic: 0xA1B2_C3D4, linkType: 1)
        file.pcapPacket(1, 0, [1])
        send(file.bytes)
        let reader = try PacketReader(path: "/dev/fd/\(ends[0])")
        func arrival() throws -> String {
            switch try reader.receive() {
            case .packet(let packet): "\(packet.frame) \(Array(packet.bytes))"
            case .idle: "idle"
            case .end: "end"
            }
        }
        #expect(try arrival() == "1 [1]")
        #expect(try arrival() == "idle")
        file.bytes = []
        file.pcapPacket(2, 0, [2])
        file.pcapPacket(3, 0, [3, 3])
        send(Array(file.bytes.dropLast()))
        #expect(try arrival() == "2 [2]")
        #expect(try arrival() == "idle")
        send(Array(file.bytes.suffix(1)))
        close(ends[1])
        #expect(try arrival() == "3 [3, 3]")
        #expect(try arrival() == "idle")
        #expect(try arrival() == "end")
        #expect(reader.progress == nil)
    }

    @Test func progressReachesTheSizeOfTheFile() throws {
        let reader = try PacketReader(path: CaptureSupport.path(of: "cman/02-join3.pcap"))
        while try reader.next() != nil {}
        let progress = try #require(reader.progress)
        #expect(progress.read == progress.size && progress.size > 1000)
    }

    @Test func aCutCompressedFileIsReadAsFarAsItGoesAndThenIsAnError() throws {
        let source = CaptureSupport.path(of: "cman/02-join3.pcap")
        let whole = TemporaryFolder.contents(of: source)
        let (packets, error) = try read(Array(whole.dropLast(whole.count / 3)))
        #expect(packets.count > 10 && packets.count < 119)
        #expect(error?.reason == "the compressed data end too early")
        #expect(error?.place?.framesBefore == packets.count)
    }

    @Test func aCutPlainFileIsAnErrorAfterItsLastWholeFrame() throws {
        var file = CaptureFileBuilder()
        file.pcapHeader(magic: 0xA1B2_C3D4, linkType: 1)
        for _ in 0..<3 { file.pcapPacket(0, 0, [UInt8](repeating: 7, count: 50)) }
        for count in 24..<file.bytes.count {
            let (packets, error) = try read(Array(file.bytes[..<count]))
            let (whole, rest) = (count - 24).quotientAndRemainder(dividingBy: 66)
            #expect(packets.count == whole)
            #expect((error == nil) == (rest == 0))
            if let error {
                #expect(error.place?.framesBefore == whole && error.place?.offset == 24 + 66 * whole)
            }
        }
    }

    /// Damaged files of the library: packets as far as they go, and one line.
    @Test(arguments: ["cman/08-barrier-k.pcap", "corosync/3.1.7-udp-form.pcap", "openais/wt-f5586a7-idle.pcap"])
    func damagedRecordings(name: String) throws {
        let whole = TemporaryFolder.contents(of: CaptureSupport.path(of: name))
        var generator = SplitMix(state: 0xDA3A)
        for _ in 0..<200 {
            var changed = whole
            for _ in 0...generator.next(below: 3) { changed[generator.next(below: changed.count)] ^= UInt8(1 + generator.next(below: 255)) }
            guard let (packets, error) = try? read(changed) else { continue }
            if let error { #expect(error.place?.framesBefore == packets.count && !error.description.contains("\n")) }
        }
    }
}
