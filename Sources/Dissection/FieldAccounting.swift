import WireFormat

extension FieldTree {
    /// A byte that was read and belongs to no field.
    public struct UnaccountedByte: Sendable, Hashable {
        /// The protocol that was read from the same bytes first.
        public var protocolName: String
        /// Its place in those bytes.
        public var offset: Int
        /// How many bytes there are.
        public var count: Int
    }

    /// The first byte that belongs to no field; nil when every byte of everything that was read is accounted for.
    public func firstUnaccountedByte() -> UnaccountedByte? {
        var first = 0
        while first < nodes.count {
            let run = run(ofNode: first)
            var last = first
            while last + 1 < nodes.count, self.run(ofNode: last + 1) == run { last += 1 }
            if let offset = firstGap(in: first...last, count: run.count) {
                return UnaccountedByte(protocolName: nodes[first].name.description, offset: offset, count: run.count)
            }
            first = last + 1
        }
        return nil
    }

    private func firstGap(in run: ClosedRange<Int>, count: Int) -> Int? {
        var end = 0
        var later: [ByteRange] = []
        for node in nodes[run] {
            guard case .field = node.kind else { continue }
            if node.range.start > end {
                later.append(node.range)
            } else {
                end = max(end, node.range.start + node.range.count)
            }
        }
        // What an envelope holds is shown before the digest that stands behind it, and the other way about.
        for range in later.sorted(by: { $0.start < $1.start }) {
            guard range.start <= end else { return end }
            end = max(end, range.start + range.count)
        }
        return end < count ? end : nil
    }
}
