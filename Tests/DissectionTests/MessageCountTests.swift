import CaptureSupport
import Dissection
import Testing

/// What the decoder calls each packet, counted, against the tables of the captures' own pages, which another program made.
@Suite struct MessageCountTests {
    /// Names of the pages that are others here.
    static let names = [
        "BARRIER-WAIT": "barrier", "BARRIER-COMPLETE": "barrier", "USERDATA": "data", "SHORT": "unknown", "(ip-fragment/other)": "fragment",
        "orf_token": "token", "memb_join": "join", "merge_detect": "merge-detect", "commit_token": "commit-token",
        "hold_cancel": "hold-cancel", "mcast(encaps)": "mcast", "icmpv6": "icmp", "ip-frag": "fragment", "ip6-frag(later)": "fragment",
    ]

    static func counts(_ list: Substring) -> [String: Int] {
        var result: [String: Int] = [:]
        for part in list.split(separator: ",") {
            let words = part.split(separator: " ")
            guard words.count >= 2, let count = Int(words[words.count - 1]) else { continue }
            let name = words.dropLast().joined(separator: " ")
            result[names[name] ?? name.lowercased(), default: 0] += count
        }
        return result
    }

    static func decodedCounts(of name: String) throws -> (counts: [String: Int], total: Int) {
        var counts: [String: Int] = [:]
        let frames = try FrameSource(name).decoded()
        for frame in frames { counts[frame.message, default: 0] += 1 }
        return (counts, frames.count)
    }

    static func page(of family: String) throws -> String {
        try CaptureSupport.text(of: "\(family)/README.md")
    }

    @Test func cman() throws {
        let page = try Self.page(of: "cman")
        var compared = 0
        for section in page.split(separator: "\n## ").dropFirst() {
            let file = section.prefix { $0 != "\n" }
            guard let line = section.split(separator: "\n").first(where: { $0.hasPrefix("Packets: ") }) else { continue }
            let parts = line.dropFirst("Packets: ".count).split(separator: ";", maxSplits: 1)
            let (decoded, total) = try Self.decodedCounts(of: "cman/\(file)")
            #expect(parts[0].hasPrefix("\(total) "), "\(file)")
            #expect(decoded == Self.counts(parts[1]), "\(file)")
            compared += 1
        }
        #expect(compared == Supported.cman.count)
    }

    @Test func corosync() throws {
        let page = try Self.page(of: "corosync")
        var compared = 0
        for line in page.split(separator: "\n") where line.hasPrefix("| 3.1.7-udp") {
            let columns = line.split(separator: "|").map { $0.drop { $0 == " " } }
            let name = columns[0].prefix { $0 != " " }
            let (decoded, total) = try Self.decodedCounts(of: "corosync/\(name)")
            #expect(columns[8].hasPrefix("\(total) "), "\(name)")
            #expect(decoded == Self.counts(columns[7]), "\(name)")
            compared += 1
        }
        #expect(compared == Supported.corosync.count)
    }
}
