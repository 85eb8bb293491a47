/// Reads what corosync and openais daemons and their clients reported: the `.truth.txt` files of `captures/corosync` and
/// `captures/openais`.
///
/// Both kinds of file hold what was done and when, the output of the cluster's own tools at certain moments, what clients received,
/// and the daemons' logs. Nodes are called by number (`co1`, `node 1`) or by address; `fixture.yaml` tells their ids.
public struct TruthReport {
    let time: ReportTime
    let nodes: [FixtureNode]
    var report = DaemonReport()

    /// The report in `text`. `origin` is the time of the capture's first packet in nanoseconds since 1970, `nodes` says who is who.
    public static func read(_ text: String, origin: Int64, nodes: [FixtureNode]) -> DaemonReport {
        var reader = TruthReport(time: ReportTime(origin: origin), nodes: nodes, report: DaemonReport())
        for section in sections(of: text) { reader.take(section.title, section.lines) }
        reader.report.views.sort { ($0.at, $0.node) < ($1.at, $1.node) }
        reader.report.departures.sort { ($0.at, $0.node) < ($1.at, $1.node) }
        return reader.report
    }

    /// The parts of the file: from one line that begins with `# ` or `## ` to the next.
    private static func sections(of text: String) -> [(title: Substring, lines: [Substring])] {
        var result: [(title: Substring, lines: [Substring])] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("# ") || line.hasPrefix("## ") {
                result.append((line.drop { $0 == "#" || $0 == " " }, []))
            } else if !result.isEmpty {
                result[result.count - 1].lines.append(line)
            }
        }
        return result
    }

    private mutating func take(_ title: Substring, _ lines: [Substring]) {
        if title.hasPrefix("ACTIONS") || title.hasPrefix("actions") {
            takeActions(lines)
        } else if title.hasPrefix("SNAPSHOTS") {
            takeSnapshots(lines)
        } else if title.hasPrefix("CLIENT LOG ") {
            takeClientLog(String(title.dropFirst("CLIENT LOG ".count).prefix { $0 != " " }), lines)
        } else if title.hasPrefix("client output on node "), let node = Self.number(in: title) {
            takeClientOutput(of: node, title, lines)
        } else if title.hasPrefix("COROSYNC LOG ") || title.hasPrefix("aisexec log of node ") {
            if let number = Self.number(in: title) { takeLog(of: number, title, lines) }
        } else if title.hasSuffix(")"), let open = title.lastIndex(of: "("),
            let at = time.ofDay(title[title.index(after: open)...].dropLast())
        {
            takeToolOutput(at: at, lines)
        }
    }

    /// The first number in `text`.
    static func number(in text: Substring) -> UInt32? {
        UInt32(text.drop { !$0.isNumber }.prefix { $0.isNumber })
    }

    /// The id of the node that reports call by `number`.
    func id(ofNumber number: UInt32) -> UInt32? {
        nodes.first { Self.number(in: Substring($0.name)) == number }?.id
    }

    /// The id of a node that is called by its id or by one of its addresses.
    func id(ofMember word: Substring) -> UInt32? {
        UInt32(word) ?? nodes.first { $0.addresses.contains(String(word)) }?.id
    }

    /// Seconds of either kind of time stamp.
    func seconds(_ word: Substring) -> Double? {
        word.contains(":") ? time.ofDay(word) : time.ofEpoch(word)
    }

    // MARK: what was done

    /// `1795341203.868803 kill -9 corosync co3`, `10:13:37.985 kill -9 aisexec on node 3`.
    private mutating func takeActions(_ lines: [Substring]) {
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count > 2, let at = seconds(words[0]) else { continue }
            let action = words.dropFirst()
            let manner: Departure.Manner
            if action.contains("-9") && !action.contains("client") || action.last == "exited" {
                manner = .killed
            } else if action.first == "SIGTERM" || action.first == "SIGINT" {
                manner = .left
            } else if action.contains("cman_tool"), let position = action.firstIndex(of: "leave") {
                manner = position + 1 < action.endIndex && action[position + 1] == "remove" ? .removed : .left
            } else {
                continue
            }
            guard let number = Self.node(in: action), let node = id(ofNumber: number) else { continue }
            report.departures.append(Departure(at: at, node: node, manner: manner))
        }
    }

    /// `co3`, `node2:`, `node 2`.
    private static func node(in words: ArraySlice<Substring>) -> UInt32? {
        for (word, next) in zip(words, words.dropFirst() + [""]) {
            if word == "node" { return number(in: next) }
            let name = word.prefix { !$0.isNumber }
            if name == "co" || name == "node" { return number(in: word) }
        }
        return nil
    }

    // MARK: snapshots of corosync's tools

    /// `--- <seconds> snapshot: before`, then for each node `[co1] corosync-quorumtool -s` and the like.
    private mutating func takeSnapshots(_ lines: [Substring]) {
        var at: Double?
        var view: MembershipView?
        var isQuorate: Bool?
        func finished(_ view: MembershipView?) -> [MembershipView] {
            guard var view, !view.members.isEmpty else { return [] }
            view.members.sort()
            return [view]
        }
        for line in lines {
            if line.hasPrefix("--- ") {
                report.views += finished(view)
                view = nil
                at = line.split(separator: " ").dropFirst().first.flatMap { time.ofEpoch($0) }
            } else if line.hasPrefix("["), let number = Self.number(in: line), let at, let node = id(ofNumber: number) {
                if line.contains("quorumtool") { isQuorate = nil }
                let isMembers = line.contains("cmapctl") || line.contains("objctl")
                report.views += finished(view)
                view = isMembers ? MembershipView(at: at, node: node, members: [], isQuorate: isQuorate) : nil
            } else if line.hasPrefix("Quorate:") {
                isQuorate = line.hasSuffix("Yes")
            } else if line.contains(".members."), line.contains(".status"), line.hasSuffix("joined") {
                let words = line.split(separator: ".")
                if let position = words.firstIndex(of: "members"), position + 1 < words.count, let id = UInt32(words[position + 1]) {
                    view?.members.append(id)
                }
            }
        }
        report.views += finished(view)
    }

    // MARK: cman_tool

    /// `-- node 1`, then the output of `cman_tool nodes` and `cman_tool status` there.
    private mutating func takeToolOutput(at: Double, _ lines: [Substring]) {
        var view: MembershipView?
        for line in lines {
            if line.hasPrefix("-- node ") {
                if let view, !view.members.isEmpty { report.views.append(view) }
                view = Self.number(in: line).map { MembershipView(at: at, node: $0, members: []) }
            } else if line.hasPrefix("Cluster Generation:") {
                view?.generation = line.split(separator: " ").last.flatMap { UInt64($0) }
            } else if line.hasPrefix("Quorum:") {
                view?.isQuorate = !line.contains("Blocked")
            } else {
                let words = line.split(separator: " ")
                // Row 0 is the quorum device.
                if words.count >= 4, let id = UInt32(words[0]), words[1] == "M", id != 0 { view?.members.append(id) }
            }
        }
        if let view, !view.members.isEmpty { report.views.append(view) }
    }
}
