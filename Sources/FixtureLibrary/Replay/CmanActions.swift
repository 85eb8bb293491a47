/// What captures/cman/README.md says about a capture: how each node was started.
public struct CmanActions: Sendable {
    /// Options of a `cman_tool join`.
    public struct Join: Sendable, Hashable {
        /// Name of the node: `-o`, or the first `-n`.
        public var name = ""
        /// `-c`: the cluster.
        public var cluster = "lctest"
        /// `-e`: expected votes; the last one counts.
        public var expectedVotes: UInt32 = 1
        /// `-N`: the wanted node id.
        public var nodeID: UInt32 = 0
        /// `-r`: version of the configuration.
        public var configVersion: UInt32 = 1
        /// `-2`: two-node mode.
        public var twoNode = false
    }

    /// All joins, in order.
    public let joins: [Join]
    /// Names of nodes that were killed with `kill -9`.
    public let killed: Set<String>

    /// Reads the section of `capture` (`02-join3-k.pcap`) from the text of the page.
    public init(page: String, capture: String) {
        var isInside = false
        var joins: [Join] = []
        var killed: Set<String> = []
        for line in page.split(separator: "\n") {
            if line.hasPrefix("## ") { isInside = line.dropFirst(3) == capture }
            guard isInside, line.hasPrefix("- t=") else { continue }
            let words = line.split(separator: " ").map(String.init)
            if words.contains("cman_tool"), words.contains("join") { joins += Self.joins(words) }
            // The node is named behind the option, or the action names several.
            if words.contains("-9") {
                killed.formUnion(words.filter { $0.hasPrefix("node") }.map { String($0.prefix { $0.isLetter || $0.isNumber }) })
            }
        }
        self.joins = joins
        self.killed = killed
    }

    /// One node for each option `-n`; a line without names the nodes by their numbers: "node1 and node2: ... (-e 3)".
    private static func joins(_ words: [String]) -> [Join] {
        let join = join(words.map { String($0.filter { !"()".contains($0) }) })
        guard join.name.isEmpty else { return [join] }
        return words.filter { $0.hasPrefix("node") }.map { word in
            var named = join
            named.name = String(word.prefix { $0.isLetter || $0.isNumber })
            named.nodeID = UInt32(named.name.dropFirst("node".count)) ?? 0
            return named
        }
    }

    private static func join(_ words: [String]) -> Join {
        var join = Join()
        var alias: String?
        for (index, word) in words.enumerated() {
            let value = index + 1 < words.count ? words[index + 1] : ""
            switch word {
            case "-n": if join.name.isEmpty { join.name = value }
            case "-o": alias = value
            case "-c": join.cluster = value
            case "-e": join.expectedVotes = UInt32(value) ?? join.expectedVotes
            case "-N": join.nodeID = UInt32(value) ?? 0
            case "-r": join.configVersion = UInt32(value) ?? 1
            case "-2": join.twoNode = true
            default: break
            }
        }
        join.name = alias ?? join.name
        return join
    }
}
