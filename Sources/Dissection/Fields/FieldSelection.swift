import WireFormat

/// The fields that somebody asks for, compiled into a tree of the parts of their names. A field tree that has it keeps their values as
/// they are read, each by its number, so that nobody has to look for them among all the others.
public final class FieldSelection: Sendable {
    /// Part of a name: what can follow it, and what is wanted where a name ends with it.
    struct Part: Sendable {
        /// The parts that can follow, by their place among all links.
        var links = 0..<0
        /// Which field it is, by its number in the catalogue; nil when none with this name is wanted.
        var field: Int32?
        /// Which structure or list it is.
        var group: Int32?
        /// Its own name; nothing for the beginning of all names.
        var name: StaticString = ""
        /// The bits of the names that are wanted in it: most others are told apart by theirs.
        var bits: UInt64 = 0
    }

    /// Where a name goes on.
    struct Link: Sendable {
        var name: StaticString
        var part: Int32
    }

    /// Where every name begins.
    static let root: Int32 = 0

    let parts: [Part]
    let links: [Link]
    /// How many numbers there are: one more than the greatest.
    let numberCount: Int
    /// What else of packets is needed to find what is asked for.
    let interest: Interest
    /// Whether some of the fields lie in the headers around the datagram, and whether some lie behind them.
    let hasHeaders: Bool, hasFields: Bool

    /// What `references` stand for.
    public init(_ references: [FieldReference]) {
        var builder = Builder()
        var interest: Interest = []
        var (hasHeaders, hasFields) = (false, false)
        for reference in references {
            interest.formUnion(reference.interest)
            guard let number = reference.number else { continue }
            switch reference.target {
            case .field(let path): builder.add(path, field: number, group: reference.isGroupToo ? number : nil)
            case .group(let path): builder.add(path, field: nil, group: number)
            case .protocol(let name): builder.add([name], field: nil, group: number)
            case .key, .message: continue
            }
            // The protocols of a packet are known without its fields.
            if case .protocol = reference.target { continue }
            if reference.isInHeaders { hasHeaders = true } else { hasFields = true }
        }
        (parts, links) = builder.flattened()
        numberCount = Int(references.compactMap(\.number).max() ?? -1) + 1
        self.interest = interest
        self.hasHeaders = hasHeaders
        self.hasFields = hasFields
    }

    /// The bit that stands for `name`: one of 64, by its length and its first letter. Names of one layout seldom share it.
    @inline(__always)
    static func bit(of name: StaticString) -> UInt64 {
        // There is a NUL behind the last letter.
        1 << UInt64(truncatingIfNeeded: (Int(name.utf8Start[0]) &+ 11 &* name.utf8CodeUnitCount) & 63)
    }

    /// The part that follows `part` by `name`; nil when nothing that is wanted goes on so.
    func next(_ part: Int32, _ name: StaticString) -> Int32? {
        for index in parts[Int(part)].links where links[index].name.isEqual(to: name) { return links[index].part }
        return nil
    }

    /// The tree while it grows: every part has its own list of links.
    private struct Builder {
        private var parts = [Part()]
        private var links: [[Link]] = [[]]

        mutating func add(_ path: [StaticString], field: Int32?, group: Int32?) {
            var place = 0
            for name in path {
                if let known = links[place].first(where: { $0.name.isEqual(to: name) }) {
                    place = Int(known.part)
                    continue
                }
                links[place].append(Link(name: name, part: Int32(parts.count)))
                place = parts.count
                parts.append(Part(name: name))
                links.append([])
            }
            if let field { parts[place].field = field }
            if let group { parts[place].group = group }
        }

        /// The parts with their links one behind the other.
        func flattened() -> ([Part], [Link]) {
            var (parts, all) = (parts, [Link]())
            for index in parts.indices {
                parts[index].links = all.count..<all.count + links[index].count
                all.append(contentsOf: links[index])
                for link in links[index] { parts[index].bits |= FieldSelection.bit(of: link.name) }
                if parts[index].field != nil { parts[index].bits |= FieldSelection.bit(of: parts[index].name) }
            }
            return (parts, all)
        }
    }
}
