extension TruthReport {
    /// Reads from a daemon's log which rings it took into use.
    ///
    /// `position [i] member X` names the members while a ring is recovered; `Storing new sequence id for ring c` (openais),
    /// `A new membership (1.16) was formed` (corosync 3, hexadecimal) or `(10.77.2.1:22)` (corosync 2, decimal) names the ring.
    ///
    /// `COROSYNC LOG co1 (293 lines)` tells how many lines there were; the recording kept the first 220.
    mutating func takeLog(of number: UInt32, _ title: Substring, _ lines: [Substring]) {
        guard let node = id(ofNumber: number) else { return }
        if let count = title.following("(").flatMap({ Self.number(in: $0) }), count > lines.lazy.filter({ !$0.isEmpty }).count {
            report.incompleteLogs.append(node)
        }
        var members: [UInt32] = []
        var stored: UInt64?
        var formed: [RingFormation] = []
        for line in lines {
            guard let at = logTime(line) else { continue }
            if let position = line.following("] position [") {
                let words = position.split(separator: " ")
                if words.first == "0]" { members = [] }
                if words.count > 2, let member = id(ofMember: words[2].dropLast()) { members.append(member) }
            } else if let name = line.following("Storing new sequence id for ring ") {
                stored = UInt64(name.trimmingBlanks, radix: 16)
            } else if line.following("entering OPERATIONAL state") != nil, let representative = members.first {
                // Of what the log tells from before the first packet, nothing is in the capture.
                if at >= 0 {
                    formed.append(
                        RingFormation(node: node, ring: stored.map { "\(representative).\($0)" }, members: members.sorted())
                    )
                }
                (members, stored) = ([], nil)
            } else if let name = line.following("A new membership ("), let last = formed.indices.last, formed[last].ring == nil {
                formed[last].ring = ring(name.prefix { $0 != ")" })
            }
        }
        report.formations += formed
    }

    /// `1.16`: hexadecimal, as corosync 3 writes it; `10.77.2.1:22`: decimal, as corosync 2 does.
    private func ring(_ text: Substring) -> String? {
        if let colon = text.lastIndex(of: ":") {
            guard let representative = id(ofMember: text[..<colon]), let sequence = UInt64(text[text.index(after: colon)...]) else {
                return nil
            }
            return "\(representative).\(sequence)"
        }
        let parts = text.split(separator: ".")
        guard parts.count == 2, let representative = UInt32(parts[0]), let sequence = UInt64(parts[1], radix: 16) else { return nil }
        return "\(representative).\(sequence)"
    }

    /// `Nov 22 09:53:22.789 ...`: the time of day. A time in whole seconds stands for the end of its second.
    private func logTime(_ line: Substring) -> Double? {
        let words = line.split(separator: " ", maxSplits: 3)
        guard words.count > 3, let at = time.ofDay(words[2]) else { return nil }
        return words[2].contains(".") ? at : at + 1
    }
}
