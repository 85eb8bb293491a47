import Captures
import Testing
import WireFormat

@Suite struct MergedPacketsTests {
    let folder = TemporaryFolder()

    /// Writes a capture whose packets hold `mark` and have these times, in seconds.
    func capture(_ mark: UInt8, _ times: [UInt32]) throws -> PacketReader {
        var file = CaptureFileBuilder()
        file.pcapHeader(magic: 0xA1B2_C3D4, linkType: 1)
        for time in times { file.pcapPacket(time, 0, [mark, UInt8(time)]) }
        folder.write(file.bytes, to: "\(mark)")
        return try PacketReader(path: folder.file("\(mark)"))
    }

    func merged(_ sources: [any PacketSource]) throws -> [[UInt8]] {
        let merged = MergedPackets(sources)
        var result: [[UInt8]] = []
        while let packet = try merged.next() {
            #expect(packet.frame == result.count + 1)
            #expect(merged.inputs[packet.input] == folder.file("\(packet.bytes[0])"))
            result.append(Array(packet.bytes))
        }
        return result
    }

    @Test func byTimeAndThenInTheOrderOfTheFiles() throws {
        let sources = [try capture(1, [1, 5, 5, 9]), try capture(2, []), try capture(3, [0, 5, 6]), try capture(4, [5])]
        #expect(try merged(sources) == [[3, 0], [1, 1], [1, 5], [1, 5], [3, 5], [4, 5], [3, 6], [1, 9]])
    }

    @Test func aPacketOlderThanTheOneBeforeItFollowsThatOne() throws {
        let sources = [try capture(1, [1, 6, 2, 7]), try capture(2, [3, 5, 6])]
        #expect(try merged(sources) == [[1, 1], [2, 3], [2, 5], [1, 6], [1, 2], [2, 6], [1, 7]])
    }

    /// The same as sorting stably, of many files with seeded times.
    @Test func manyFiles() throws {
        var generator = SplitMix(state: 0x4D45)
        let times = (0..<40).map { _ in (0..<generator.next(below: 50)).map { _ in UInt32(generator.next(below: 100)) }.sorted() }
        let sources = try times.enumerated().map { try capture(UInt8($0), $1) }
        let all = times.enumerated().flatMap { mark, times in times.map { [UInt8(mark), UInt8($0)] } }
        let order = all.enumerated().sorted { ($0.element[1], $0.offset) < ($1.element[1], $1.offset) }.map(\.element)
        #expect(try merged(sources) == order)
    }

    @Test func interfacesOfAllFiles() throws {
        folder.write(CaptureFileBuilder.everyBlock().bytes, to: "a")
        let files = try (0..<2).map { _ in try PacketReader(path: folder.file("a")) }
        let merged = MergedPackets(files)
        let (packets, error) = ReadPacket.all(of: merged)
        #expect(error == nil)
        let expected = CaptureFileBuilder.everyBlock().packets
        #expect(packets.map(\.interface).filter { $0 == "tun0" }.count == 4)
        #expect(packets.count == 2 * expected.count)
    }

    /// What came before the damage of one file is handed out.
    @Test func damageOfOneFile() throws {
        var file = CaptureFileBuilder()
        file.pcapHeader(magic: 0xA1B2_C3D4, linkType: 1)
        file.pcapPacket(2, 0, [9, 2])
        folder.write(file.bytes + [1, 2, 3], to: "9")
        let (packets, error) = ReadPacket.all(of: MergedPackets([try capture(1, [1, 3]), try PacketReader(path: folder.file("9"))]))
        #expect(packets.map(\.bytes) == [[1, 1], [9, 2]])
        #expect(error?.path == folder.file("9"))
        #expect(error?.place?.framesBefore == 1)
    }
}
