/// Finds what somebody who mistyped a name may have meant.
enum NearestNames {
    /// The names that need the fewest changes to become `name`, none that needs more than a third of its length; a name that ends like
    /// `name` comes first.
    static func of(_ name: String, among names: [String], limit: Int) -> [String] {
        let wanted = Array(name.lowercased().utf8)
        let bound = max(2, wanted.count / 3)
        var found: [(name: String, distance: Int)] = []
        var seen: Set<String> = []
        for candidate in names where seen.insert(candidate).inserted {
            let bytes = Array(candidate.lowercased().utf8)
            if bytes.count > wanted.count, bytes.suffix(wanted.count + 1).elementsEqual([UInt8(ascii: ".")] + wanted) {
                found.append((candidate, 0))
            } else if let distance = distance(wanted, bytes, bound: bound) {
                found.append((candidate, distance + 1))
            }
        }
        return found.sorted { ($0.distance, $0.name.utf8.count, $0.name) < ($1.distance, $1.name.utf8.count, $1.name) }
            .prefix(limit).map(\.name)
    }

    /// Insertions, removals, changes and swaps of neighbours that lead from one to the other; nil when they are more than `bound`.
    private static func distance(_ left: [UInt8], _ right: [UInt8], bound: Int) -> Int? {
        guard abs(left.count - right.count) <= bound else { return nil }
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var best = min(current[column] + 1, last[column + 1] + 1, last[column] + (byte == other ? 0 : 1))
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other { best = min(best, beforeLast[column - 1] + 1) }
                current.append(best)
            }
            beforeLast = last
            last = current
        }
        let distance = last[right.count]
        return distance <= bound ? distance : nil
    }
}
