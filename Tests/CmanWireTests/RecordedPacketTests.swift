import CaptureSupport
import Captures
import CmanWire
import Foundation
import Testing
import WireFormat

/// Every packet of every capture of the daemons: it is read, except for those that the recording's own probes broke on purpose, and
/// written back byte for byte.
@Suite struct RecordedPackets {
    @Test(arguments: CaptureSupport.captureNames(prefix: "cman/"))
    func areReadAndWrittenByteForByte(_ name: String) throws {
        let datagrams = try CaptureSupport.datagrams(of: name).filter { $0.destination.port == 6809 }
        #expect(!datagrams.isEmpty)
        for datagram in datagrams {
            let result = datagram.payload.withUnsafeBytes { buffer in Result { () throws(WireError) in try CmanPacket(reading: buffer) } }
            switch result {
            case .success(let packet):
                #expect(
                    try packet.bytes(payload: datagram.payload[packet.payload.range]) == datagram.payload,
                    "\(name) frame \(datagram.frame)"
                )
                if case .unknown = packet.body { Issue.record("\(name) frame \(datagram.frame): unknown command") }
                if case .data = packet.body {
                } else {
                    #expect(packet.payload.count == 0, "\(name) frame \(datagram.frame): bytes behind \(packet.body.name)")
                }
            case .failure(let error):
                // Probe D3 of this capture: a packet of 8 bytes.
                #expect(name.contains("13d") && datagram.payload.count < CmanHeader.size, "\(name) frame \(datagram.frame): \(error)")
            }
        }
    }

    /// How many messages of each kind, as counted by the tool that recorded them (captures/cman/README.md).
    @Test(arguments: try recordedCounts()) func areAsManyAsWereCounted(_ counts: RecordedCounts) throws {
        var found: [String: Int] = [:]
        for datagram in try CaptureSupport.datagrams(of: "cman/\(counts.capture)") where datagram.payload.count >= CmanHeader.size {
            let packet = try datagram.payload.withUnsafeBytes { try CmanPacket(reading: $0) }
            var name = packet.body.name.description
            if case .barrier(let barrier) = packet.body {
                name += barrier.phase == CmanBarrierPhase.wait.rawValue ? "-wait" : "-complete"
            }
            found[name, default: 0] += 1
        }
        #expect(found == counts.messages)
    }

    struct RecordedCounts: Sendable, CustomTestStringConvertible {
        var capture: String
        var messages: [String: Int]
        var testDescription: String { capture }
    }

    static func recordedCounts() throws -> [RecordedCounts] {
        var capture = ""
        var result: [RecordedCounts] = []
        for line in try String(contentsOfFile: "\(CaptureSupport.folder)/cman/README.md", encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("## ") { capture = String(line.dropFirst(3)) }
            guard line.hasPrefix("Packets: "), let list = line.split(separator: ";").last else { continue }
            var messages: [String: Int] = [:]
            for item in list.split(separator: ",") {
                let words = item.split(separator: " ")
                guard words.count >= 2, let count = words.last.flatMap({ Int($0) }) else { continue }
                let name = words.dropLast().joined(separator: " ").lowercased()
                // Fragments are counted with the datagram they complete; what is too short is no message.
                guard !name.hasPrefix("("), name != "short" else { continue }
                messages[name == "userdata" ? "data" : name] = count
            }
            result.append(RecordedCounts(capture: capture, messages: messages))
        }
        return result
    }
}
