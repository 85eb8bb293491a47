import Captures
import CmanWire
import Foundation
import TotemWire
import WireFormat

/// Writes what fuzzing starts from, out of the captures below a folder: of every capture and of every length, in steps of 16 bytes, one
/// packet.
struct Corpus {
    let captures: String
    let folder: String

    /// Writes all of it.
    func write() throws {
        for path in try FileManager.default.subpathsOfDirectory(atPath: captures).sorted() where path.hasSuffix(".pcap.gz") {
            try takeFrames(of: path)
            try takeDatagrams(of: path)
        }
        try write(DLMSeed.bytes, "dlm", "constructed")
    }

    private func write(_ bytes: [UInt8], _ target: String, _ name: String) throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(target)", withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(target)/\(name)"))
    }

    /// Packets one after the other, each behind its length.
    private func run(_ packets: [[UInt8]]) -> [UInt8] {
        packets.flatMap { [UInt8(truncatingIfNeeded: $0.count), UInt8(truncatingIfNeeded: $0.count >> 8)] + $0 }
    }

    private func fileName(_ path: String) -> String { path.replacingOccurrences(of: "/", with: "-") }

    /// The first frames, as a run for the decoder and as a file for the readers.
    private func takeFrames(of path: String) throws {
        let name = fileName(path)
        let reader = try PacketReader(path: "\(captures)/\(path)")
        var frames: [[UInt8]] = []
        while frames.count < 40, let packet = try reader.next() { frames.append(Array(packet.bytes)) }
        try write([0] + run(frames), "dissector", name)
        try FileManager.default.createDirectory(atPath: "\(folder)/capture", withIntermediateDirectories: true)
        let writer = try CaptureWriter(path: "\(folder)/capture/\(name).pcap", linkType: .ethernet)
        for (index, frame) in frames.prefix(10).enumerated() {
            try frame.withUnsafeBytes {
                try writer.write(
                    CapturedPacket(frame: index + 1, time: Int64(index), linkType: .ethernet, originalLength: frame.count, bytes: $0)
                )
            }
        }
    }

    private func takeDatagrams(of path: String) throws {
        let name = fileName(path)
        var seen: Set<Int> = []
        var knet: [[UInt8]] = []
        for datagram in try CaptureFile.datagrams(atPath: "\(captures)/\(path)") where seen.insert(datagram.payload.count / 16).inserted {
            let payload = datagram.payload
            let file = "\(name)-\(payload.count)"
            if path.hasPrefix("cman/") {
                for generation in CmanGeneration.allCases {
                    try write([generation.rawValue] + payload, "cman", "\(file)-\(generation.name)")
                }
                continue
            }
            for index in TotemGeneration.allCases.indices { try write([UInt8(index)] + payload, "totem", "\(file)-\(index)") }
            try write([1] + payload, "security", file)
            if payload.count > 200 {
                // Near where messages of services begin in their packets, which is enough for a start.
                for group in 0..<3 { try write([4, UInt8(group), 0] + payload.dropFirst(100), "services", "\(file)-\(group)") }
            }
            if knet.count < 20 { knet.append(payload) }
        }
        if path.contains("knet") { try write(run(knet), "knet", name) }
    }
}
