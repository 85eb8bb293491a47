import Captures
import Dissection
import Testing

/// Counts against tshark's and against the packets one by one.
@Suite struct StatisticsTests {
    static func table(_ kind: StatisticsKind, of source: FrameSource) -> [[String]] {
        var statistics = kind.makeStatistics()
        source.dissect(interest: statistics.interest) { statistics.count($0) }
        var text = TextBuffer()
        statistics.append(to: &text)
        return String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").dropFirst(2).map { line in
            line.split(separator: " ").map(String.init)
        }
    }

    /// `tshark -q -z conv,udp` of the same file.
    @Test func conversationsAreTsharks() throws {
        let rows = Self.table(.conversations, of: try FrameSource("cman/02-join3-k.pcap"))
        #expect(
            rows.contains(["udp", "10.77.1.1:6809", "10.77.1.255:6809", "26", "2144", "0", "0", "0.000000000", "55.004760000"].prefixed(7))
        )
        #expect(rows.contains(["udp", "10.77.1.1:6809", "10.77.1.2:6809", "8", "558", "9", "657"].prefixed(7)))
        #expect(rows.contains(["udp", "10.77.1.2:6809", "10.77.1.255:6809", "16", "1274", "0", "0"].prefixed(7)))
        #expect(rows.contains(["udp", "10.77.1.1:6809", "10.77.1.3:6809", "4", "328", "5", "393"].prefixed(7)))
        #expect(rows.contains(["udp", "10.77.1.3:6809", "10.77.1.255:6809", "8", "640", "0", "0"].prefixed(7)))
        #expect(rows.contains(["udp", "10.77.1.2:6809", "10.77.1.3:6809", "2", "132", "2", "132"].prefixed(7)))
    }

    @Test func typesAndNodesAddUp() throws {
        let source = try FrameSource("corosync/3.1.7-udpu-cpg.pcap")
        var expected: [String: Int] = [:]
        var nodes: [String: Int] = [:]
        source.dissect { dissection in
            expected["\(dissection.dialect?.name.description ?? "-") \(dissection.message)", default: 0] += 1
            if let node = dissection.node { nodes["\(node)", default: 0] += 1 }
        }
        let bytes = source.frames.reduce(0) { $0 + $1.originalLength }
        let types = Self.table(.types, of: source)
        #expect(types.last == ["total", "\(source.frames.count)", "\(bytes)"])
        #expect(Dictionary(uniqueKeysWithValues: types.dropLast().map { ("\($0[0]) \($0[1])", Int($0[2]) ?? -1) }) == expected)
        let sums = Self.table(.nodes, of: source).filter { $0[1] == "all" }.map { ($0[0], Int($0[2]) ?? -1) }
        #expect(Dictionary(uniqueKeysWithValues: sums) == nodes)
    }

    @Test func carriedMessagesAreCounted() throws {
        let source = try FrameSource("corosync/3.1.7-udpu-cpg.pcap")
        var expected: [String: Int] = [:]
        source.dissect { for carried in $0.carries { expected["\(carried.message) \(carried.sender)", default: 0] += 1 } }
        let rows = Self.table(.carried, of: source)
        #expect(Dictionary(uniqueKeysWithValues: rows.map { ("\($0[0]) \($0[1])", Int($0[2]) ?? -1) }) == expected)
    }

    /// More conversations than a table holds: the rest is counted together, and nothing is lost.
    @Test func tablesAreBounded() throws {
        var source = try FrameSource("cman/02-join3-k.pcap")
        let frame = source.frames[0]
        source.frames = (0..<20_000).map { number in
            var copy = frame
            // The IPv4 source address.
            copy.bytes.replaceSubrange(26..<30, with: [10, 0, UInt8(number >> 8), UInt8(number & 255)])
            return copy
        }
        var statistics = StatisticsKind.conversations.makeStatistics()
        source.dissect { statistics.count($0) }
        var text = TextBuffer()
        statistics.append(to: &text)
        let lines = String(decoding: text.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2 + 16_384 + 1)
        #expect(lines.last == "and 3616 packets of \(3616 * frame.originalLength) bytes for which the table has no room")
    }
}

/// Rows are compared without what tshark rounds.
extension [[String]] {
    fileprivate func contains(_ start: Row) -> Bool { contains { Array<String>($0.prefix(start.columns.count)) == start.columns } }
}

private struct Row {
    var columns: [String]
}

extension [String] {
    fileprivate func prefixed(_ count: Int) -> Row { Row(columns: Array(prefix(count))) }
}
