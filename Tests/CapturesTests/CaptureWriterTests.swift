import CaptureSupport
import Captures
import Testing
import WireFormat

@Suite struct CaptureWriterTests {
    let folder = TemporaryFolder()

    func endpoint(_ text: String) throws -> Endpoint { try #require(Endpoint(text)) }

    @Test(arguments: [LinkType.rawIP, .ethernet])
    func whatIsWrittenIsReadBack(linkType: LinkType) throws {
        let path = folder.file("written.pcap")
        let sent = try [
            CapturedDatagram(
                frame: 1,
                time: 1_795_341_090_123_456_789,
                source: endpoint("10.77.1.1:6809"),
                destination: endpoint("10.77.1.255:6809"),
                payload: [1, 2, 3]
            ),
            CapturedDatagram(
                frame: 2,
                time: 1_795_341_090_123_456_790,
                source: endpoint("[fd77:1::1]:5405"),
                destination: endpoint("[ff15::1]:5405"),
                payload: (0..<60000).map { UInt8(truncatingIfNeeded: $0) }
            ),
            CapturedDatagram(
                frame: 3,
                time: 1_795_341_091_000_000_000,
                source: endpoint("10.77.1.1:6809"),
                destination: endpoint("226.94.1.1:6809"),
                payload: []
            ),
        ]
        let writer = try CaptureWriter(path: path, linkType: linkType)
        for datagram in sent {
            try datagram.payload.withUnsafeBytes {
                try writer.write($0, from: datagram.source, to: datagram.destination, time: datagram.time)
            }
        }
        // The writer is still open: what it wrote must be there already.
        #expect(try CaptureFile.datagrams(atPath: path) == sent)
        withExtendedLifetime(writer) {}
    }

    /// The headers of a packet that a kernel sent, with the checksums that it computed, are what the writer makes of the same datagram.
    @Test func checksumsAreThoseOfAKernel() throws {
        // cman/02-join3.pcap holds UDP checksums that were computed in software.
        let reader = try PacketReader(path: CaptureSupport.path(of: "cman/02-join3.pcap"))
        var decapsulator = Decapsulator()
        var compared = 0
        while let packet = try reader.next() {
            let content = decapsulator.decapsulate(packet)
            guard let source = content.sourceEndpoint, let destination = content.destinationEndpoint, source.address.family == .ipv4 else {
                continue
            }
            let original = Array(packet.bytes)
            let payload = decapsulator.withPayload(of: content, in: packet) { Array($0) }
            let path = folder.file("kernel.pcap")
            let writer = try CaptureWriter(path: path, linkType: .ethernet)
            try payload.withUnsafeBytes { try writer.write($0, from: source, to: destination, time: packet.time) }
            let written = folder.bytes(of: "kernel.pcap").dropFirst(24 + 16)
            // UDP header, checksum included: from byte 34 of the frame.
            #expect(Array(written.dropFirst(34).prefix(8)) == Array(original[34..<42]), "frame \(packet.frame)")
            var sum = written.dropFirst(14).prefix(20).enumerated().reduce(0) {
                $0 + ($1.offset % 2 == 0 ? Int($1.element) << 8 : Int($1.element))
            }
            while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
            #expect(sum == 0xFFFF, "IP header checksum of frame \(packet.frame)")
            compared += 1
        }
        #expect(compared > 100)
    }

    @Test func mergeOrdersByTime() throws {
        let first = try CaptureWriter(path: folder.file("a.pcap"))
        let second = try CaptureWriter(path: folder.file("b.pcap"))
        let from = try endpoint("10.0.0.1:1")
        let to = try endpoint("10.0.0.2:2")
        for time in [10, 20, 30] { try [UInt8(time)].withUnsafeBytes { try first.write($0, from: from, to: to, time: Int64(time)) } }
        for time in [5, 20, 35] { try [UInt8(time + 1)].withUnsafeBytes { try second.write($0, from: from, to: to, time: Int64(time)) } }
        try CaptureFile.merge([folder.file("a.pcap"), folder.file("b.pcap")], into: folder.file("c.pcap"))
        let merged = try CaptureFile.datagrams(atPath: folder.file("c.pcap"))
        #expect(merged.map(\.payload) == [[6], [10], [20], [21], [30], [36]])
        #expect(merged.map(\.time) == [5, 10, 20, 20, 30, 35])
    }

    @Test func oversizedDatagramsAreRefused() throws {
        let writer = try CaptureWriter(path: folder.file("large.pcap"))
        let payload = [UInt8](repeating: 0, count: CaptureWriter.payloadLimit + 1)
        let from = try endpoint("10.0.0.1:1")
        #expect(throws: CaptureError.self) { try payload.withUnsafeBytes { try writer.write($0, from: from, to: from, time: 0) } }
    }
}
