import CaptureSupport
import Captures
import Testing
import WireFormat

@Suite struct PacketReaderTests {
    let folder = TemporaryFolder()

    @Test func aMissingFileIsAnErrorThatNamesIt() throws {
        let error = #expect(throws: CaptureError.self) { try PacketReader(path: "/nonexistent/x.pcap") }
        #expect(error?.description == "/nonexistent/x.pcap: No such file or directory")
    }

    @Test func aFileThatIsNoCaptureIsAnError() {
        folder.write(Array("this is not a capture, it is a text".utf8), to: "text")
        #expect(throws: CaptureError.self) { try PacketReader(path: folder.file("text")) }
        folder.write([], to: "empty")
        #expect(throws: CaptureError.self) { try PacketReader(path: folder.file("empty")) }
    }

    @Test func aCutCompressedFileIsReadAsFarAsItGoesAndThenIsAnError() throws {
        let source = CaptureSupport.path(of: "cman/02-join3.pcap")
        let whole = TemporaryFolder.contents(of: source)
        folder.write(Array(whole.dropLast(whole.count / 3)), to: "cut.gz")
        let reader = try PacketReader(path: folder.file("cut.gz"))
        var frames = 0
        let error = #expect(throws: CaptureError.self) {
            while try reader.next() != nil { frames += 1 }
        }
        #expect(frames > 10 && frames < 119)
        #expect(error?.reason.contains("end too early") == true)
    }

    @Test func aCutPlainFileIsAnErrorAfterItsLastWholeFrame() throws {
        let writer = try CaptureWriter(path: folder.file("plain.pcap"))
        let from = try #require(Endpoint("10.0.0.1:1"))
        for time in 0..<3 {
            try [UInt8](repeating: 7, count: 50).withUnsafeBytes { try writer.write($0, from: from, to: from, time: Int64(time)) }
        }
        folder.write(Array(folder.bytes(of: "plain.pcap").dropLast(5)), to: "cut.pcap")
        let reader = try PacketReader(path: folder.file("cut.pcap"))
        #expect(try reader.next()?.frame == 1)
        #expect(try reader.next()?.frame == 2)
        #expect(throws: CaptureError.self) { try reader.next() }
    }
}
