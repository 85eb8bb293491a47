import WireFormat

/// A display filter: says which packets are shown. It is compiled once and evaluated without allocating. The language is a part of
/// Wireshark's; docs/filters.md tells which.
public struct DisplayFilter: Sendable {
    enum Node: Sendable {
        case and(Int, Int)
        case or(Int, Int)
        case not(Int)
        /// A test by its place among the tests.
        case test(Int)
    }

    private let nodes: [Node]
    private let tests: [FilterTest]
    /// Where the values are that each test looks at.
    private let sources: [FieldReader.Source]
    private let root: Int
    private var reader: FieldReader

    /// Compiles `text`. Every name is looked up in `catalogue`, and every value is checked against what the name stands for.
    public init(_ text: String, catalogue: FieldCatalogue) throws(FilterError) {
        var parser = FilterParser(text, catalogue: catalogue)
        root = try parser.parse()
        nodes = parser.nodes
        tests = parser.tests
        var reader = FieldReader()
        sources = tests.map { reader.source(of: $0.field) }
        self.reader = reader
    }

    /// What the filter looks up. It sees fields only in packets of a dissector that has them in its `selection`.
    public var references: [FieldReference] { tests.map(\.field) }

    /// Whether the filter lets `packet` through.
    public mutating func admits(_ packet: Dissection) -> Bool {
        evaluate(root, packet)
    }

    private mutating func evaluate(_ index: Int, _ packet: Dissection) -> Bool {
        switch nodes[index] {
        case .and(let left, let right): evaluate(left, packet) && evaluate(right, packet)
        case .or(let left, let right): evaluate(left, packet) || evaluate(right, packet)
        case .not(let operand): !evaluate(operand, packet)
        case .test(let place): tests[place].holds(for: packet, from: sources[place], &reader)
        }
    }
}

/// Why a filter cannot be used, and where in its text.
public struct FilterError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, and what to do.
    public var reason: String
    /// The filter.
    public var text: String
    /// What of it is wrong, in bytes of UTF-8.
    public var range: Range<Int>

    /// What is wrong, and below it the filter with the place marked.
    public var description: String {
        let bytes = Array(text.utf8)
        // Columns are characters, whatever the filter holds.
        let before = String(decoding: bytes[..<min(range.lowerBound, bytes.count)], as: UTF8.self).count
        let marked = String(decoding: bytes[min(range.lowerBound, bytes.count)..<min(range.upperBound, bytes.count)], as: UTF8.self).count
        let mark = "^" + String(repeating: "~", count: max(0, marked - 1))
        return "display filter: \(reason)\n    \(text)\n    \(String(repeating: " ", count: before))\(mark)"
    }
}
