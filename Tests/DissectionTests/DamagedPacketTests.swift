import CaptureSupport
import Captures
import Dissection
import Testing
import WireFormat

/// Packets of every capture, cut and changed: what can be read of them is shown, with what is wrong, and nothing crashes.
@Suite struct DamagedPacketTests {
    static let families = ["cman/", "openais/", "corosync/3", "corosync/flatiron", "corosync/needle"]
    /// Frames of a capture that are damaged.
    private static let framesPerCapture = 12
    /// Link layer, IPv4 or IPv6, and UDP of a recording.
    private static let headers = 42
    private static let headersOfVersion6 = 62

    /// Some frames of every capture of a family, the same ones every time.
    static func samples(_ family: String) throws -> [(name: String, frames: [FrameSource.Frame])] {
        try CaptureSupport.captureNames(prefix: family).map { name in
            let all = try FrameSource(name).frames
            let step = max(1, all.count / framesPerCapture)
            return (name, stride(from: step / 2, to: all.count, by: step).map { all[$0] })
        }
    }

    struct Field: Hashable {
        var name: String
        var range: ByteRange
        var value: String
    }

    /// The fields of the outer message of a frame.
    static func fields(
        _ frame: FrameSource.Frame,
        _ dissector: inout PacketDissector
    ) -> (dialect: Dialect?, fields: [Field], problems: [String]) {
        let result = Dissection()
        frame.dissect(1, with: &dissector, into: result)
        var fields: [Field] = []
        for node in result.tree.nodes[0..<result.ownNodes] {
            // What is shown taken apart ends where the packet does.
            if case .field(let value) = node.kind, !node.isTakenApart {
                fields.append(Field(name: node.name.description, range: node.range, value: "\(value)"))
            }
        }
        return (result.dialect, fields, result.problems.strings)
    }

    /// What a recording cut has the same fields as the whole packet, up to the cut.
    @Test(arguments: families)
    func cutPacketsHaveThePrefix(family: String) throws {
        var generator = SplitMix(state: 0x0C07)
        var compared = 0
        for (name, frames) in try Self.samples(family) {
            for frame in frames where frame.bytes.count > Self.headers + 8 {
                var dissector = PacketDissector()
                let whole = Self.fields(frame, &dissector)
                guard whole.dialect != nil, whole.problems.isEmpty else { continue }
                let count = Self.headers + 4 + generator.next(below: frame.bytes.count - Self.headers - 4)
                let cut = Self.fields(
                    FrameSource.Frame(time: frame.time, originalLength: frame.bytes.count, bytes: Array(frame.bytes[..<count])),
                    &dissector
                )
                #expect(!cut.problems.isEmpty, "\(name): \(count) of \(frame.bytes.count) bytes")
                // Another dialect can have the same beginning.
                guard cut.dialect == whole.dialect else { continue }
                // The last one may be cut itself, and what reaches to the end of the packet is; a digest at the end of the packet stands
                // before the message, or is not seen at all.
                let all = Set(whole.fields)
                let ends = [count - Self.headers, count - Self.headersOfVersion6]
                for field in cut.fields.dropLast() where !ends.contains(field.range.end) {
                    let isKnown = all.contains(field)
                    #expect(isKnown, "\(name): \(count) of \(frame.bytes.count) bytes: \(field)")
                    compared += 1
                }
            }
        }
        #expect(compared > 100)
    }

    /// Changed bytes, packets out of order, packets twice: 36 a capture, one dissector for all of a family, so that it remembers nonsense.
    @Test(arguments: families)
    func changedPackets(family: String) throws {
        var generator = SplitMix(state: 0xBAD5_EED0)
        var dissector = PacketDissector()
        let result = Dissection()
        var json = NDJSONRenderer()
        var text = TextBuffer()
        var number = 0
        for (name, frames) in try Self.samples(family) where !frames.isEmpty {
            for _ in 0..<3 * Self.framesPerCapture {
                var frame = frames[generator.next(below: frames.count)]
                for _ in 0..<generator.next(below: 6) {
                    let start = generator.next(below: 4) == 0 ? 0 : min(Self.headers, frame.bytes.count - 1)
                    let place = start + generator.next(below: min(160, frame.bytes.count - start))
                    frame.bytes[place] = UInt8(truncatingIfNeeded: generator.next(below: 256))
                }
                if generator.next(below: 4) == 0 { frame.bytes.removeLast(generator.next(below: frame.bytes.count)) }
                number += 1
                frame.dissect(number, with: &dissector, into: result)
                text.removeAll()
                json.append(result, to: &text)
                // The parser is slow: every eighth is judged by it.
                if number % 8 == 0 { #expect(throws: Never.self, "\(name)") { _ = try JSONValue(parsing: text.bytes.dropLast()) } }
                for node in result.tree.nodes { #expect(node.range.start >= 0 && node.range.count >= 0) }
                text.removeAll()
                TreeRenderer().append(result, to: &text)
                #expect(String(validating: text.bytes, as: UTF8.self) != nil)
            }
        }
    }
}

extension FrameSource.Frame {
    /// Dissects this frame of an Ethernet.
    fileprivate func dissect(_ number: Int, with dissector: inout PacketDissector, into result: Dissection) {
        bytes.withUnsafeBytes { bytes in
            let packet = CapturedPacket(frame: number, time: time, linkType: .ethernet, originalLength: originalLength, bytes: bytes)
            dissector.dissect(packet, into: result)
        }
    }
}
