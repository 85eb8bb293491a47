import CmanWire
import WireFormat

/// The parts of a JOINCONF. They are not acknowledged, so any of them can be lost, doubled or overtaken; their numbers follow each other.
///
/// The original takes whatever comes and is a member with the last part, whether or not it knows the others (reference/cman-wire.md 5.4, 4).
struct JoinList: Sendable {
    /// More parts than the largest cluster needs.
    private static let maximumParts = 64

    private var parts: [UInt16: CmanNodeList] = [:]
    private var source: Endpoint?

    /// Adds a part that came from `source` as message `sequence`. Returns the entries once all parts from the first to the last are there.
    mutating func add(_ part: CmanNodeList, sequence: UInt16, from source: Endpoint) -> [CmanNodeEntry]? {
        if source != self.source || parts.count >= Self.maximumParts { parts.removeAll() }
        self.source = source
        parts[sequence] = part
        for (start, first) in parts where first.sequenceFlags & CmanNodeList.firstFlag != 0 {
            var number = start
            var entries: [CmanNodeEntry] = []
            while let next = parts[number] {
                // A list that begins again belongs to another set.
                if number != start, next.sequenceFlags & CmanNodeList.firstFlag != 0 { break }
                entries += next.entries
                if next.sequenceFlags & CmanNodeList.lastFlag != 0 { return entries }
                number = number == .max ? 1 : number + 1
            }
        }
        return nil
    }

    mutating func removeAll() {
        parts.removeAll()
        source = nil
    }
}
