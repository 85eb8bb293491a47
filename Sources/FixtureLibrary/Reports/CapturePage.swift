import Foundation

/// Reads the pages `captures/*/README.md`: what was done when, and how many packets of each kind another program counted.
public struct CapturePage: Sendable {
    private let text: String

    /// The page `text`.
    public init(_ text: String) {
        self.text = text
    }

    /// Packets of a capture by kind.
    public struct Counts: Sendable, Hashable {
        /// All packets.
        public var packets = 0
        /// Packets that end inside their header (`SHORT`).
        public var malformed = 0
        /// By message, with the decoder's names; empty where the page counts no messages, because they are encrypted.
        public var messages: [String: Int] = [:]
    }

    /// What the program that made the pages calls each message, where the decoder calls it otherwise.
    private static let names = [
        "barrier-wait": "barrier", "barrier-complete": "barrier", "userdata": "data", "short": "unknown",
        "(ip-fragment/other)": "fragment", "orf_token": "token", "memb_join": "join", "merge_detect": "merge-detect",
        "commit_token": "commit-token", "hold_cancel": "hold-cancel", "token_hold_cancel": "hold-cancel", "mcast(encaps)": "mcast",
        "icmpv6": "icmp", "ip-frag": "fragment", "ip-frag(later)": "fragment", "ip6-frag(later)": "fragment", "knet-ping": "ping",
        "knet-pong": "pong", "knet-pmtud": "pmtud", "knet-pmtud-reply": "pmtud-reply", "ring_test_active": "ring-test-active",
        "ring_test_activate": "ring-test-activate",
        // The fragment that completes a message takes the message's name, so the first one does not.
        "mcast[frag1]": "mcast", "fragment(2..n)": "data",
    ]

    /// How often each message of `capture` (`02-join3-k.pcap`) occurs; nil when the page does not tell.
    public func counts(of capture: String) -> Counts? {
        if let section = section(of: capture) {
            guard let line = section.split(separator: "\n").first(where: { $0.hasPrefix("Packets: ") }) else { return nil }
            let parts = line.dropFirst("Packets: ".count).split(separator: ";", maxSplits: 1)
            guard parts.count == 2, let packets = Int(parts[0].prefix { $0.isNumber }) else { return nil }
            let malformed = parts[1].following("SHORT ").flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
            return Counts(packets: packets, malformed: malformed, messages: Self.messages(parts[1]))
        }
        guard let cells = row(of: capture), cells.count > 4 else { return nil }
        // The corosync table ends with the messages and the packets, the openais table with the packets and the messages.
        if let packets = Int(cells[cells.count - 1]) {
            return Counts(packets: packets, messages: Self.messages(cells[cells.count - 2]))
        }
        guard let packets = Int(cells[cells.count - 2]) else { return nil }
        let outer = cells[cells.count - 1].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let upper = cells[cells.count - 1].contains(" // ") ? outer[0] : cells[cells.count - 1]
        return Counts(packets: packets, messages: Self.messages(upper))
    }

    private static func messages(_ list: Substring) -> [String: Int] {
        var result: [String: Int] = [:]
        for part in list.split(separator: ",") {
            let words = part.split(separator: " ")
            guard words.count >= 2, let count = Int(words[words.count - 1]) else { continue }
            var name = words.dropLast().joined(separator: " ").lowercased()
            if name.hasPrefix("encrypted") { return [:] }
            if name.hasPrefix("knet-data/") { name.removeFirst("knet-data/".count) }
            result[names[name] ?? name, default: 0] += count
        }
        return result
    }

    /// What the page says of the capture in one line.
    public func summary(of capture: String) -> String? {
        if let section = section(of: capture) {
            return section.split(separator: "\n").dropFirst().first.map(String.init)
        }
        guard let cells = row(of: capture), cells.count > 4 else { return nil }
        return cells.count > 7 ? "\(cells[2]) over \(cells[3]): \(cells[6])" : String(cells[1])
    }

    /// The part under `## <capture>`.
    private func section(of capture: String) -> Substring? {
        guard let start = text.range(of: "\n## \(capture)\n") else { return nil }
        let rest = text[start.upperBound...]
        let end = rest.range(of: "\n## ")?.lowerBound ?? rest.endIndex
        return text[text.index(after: start.lowerBound)..<end]
    }

    /// The cells of the table row that begins with `capture`.
    private func row(of capture: String) -> [Substring]? {
        for line in text.split(separator: "\n") where line.hasPrefix("| \(capture) |") {
            return line.split(separator: "|").map { $0.trimmingBlanks }
        }
        return nil
    }

    /// What was done to the nodes of a legacy capture: who went, when and how. `origin` is the time of the first packet.
    public func departures(of capture: String, origin: Int64) -> [Departure] {
        guard let section = section(of: capture), let epoch = Self.epoch(in: section) else { return [] }
        let time = ReportTime(origin: origin)
        guard let start = time.ofEpoch(epoch) else { return [] }
        var result: [Departure] = []
        for line in section.split(separator: "\n") where line.hasPrefix("- t=") {
            let words = line.dropFirst(4).split(separator: " ")
            guard let at = words.first.flatMap({ Double($0.dropLast()) }) else { continue }
            // What follows the arrow is what the command printed.
            let action = words.dropFirst().prefix { $0 != "->" && $0 != "as" }
            let nodes = action.compactMap { Self.node($0) }
            let manner: Departure.Manner
            if action.contains("-9") {
                manner = .killed
            } else if action.contains("remove") {
                manner = .removed
            } else if action.contains("leave"), !action.contains("(nobody") {
                manner = .left
            } else {
                continue
            }
            result += nodes.map { Departure(at: start + at, node: $0, manner: manner) }
        }
        return result
    }

    /// `node3`, `node3:`, `node3's`.
    private static func node(_ word: Substring) -> UInt32? {
        guard word.hasPrefix("node") else { return nil }
        return UInt32(word.dropFirst(4).prefix { $0.isNumber })
    }

    /// `(t = seconds after the capture started, epoch 1795341176.422)`, as it stands.
    private static func epoch(in section: Substring) -> Substring? {
        section.following("epoch ")?.prefix { $0.isNumber || $0 == "." }
    }
}
