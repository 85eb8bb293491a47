import WireFormat

/// One entry of a field tree.
public struct FieldNode: Sendable {
    /// What an entry is.
    public enum Kind: Sendable {
        /// The fields of a protocol begin.
        case `protocol`
        /// A field.
        case field(FieldValue, FieldFormat)
        /// A structure, list or element of a list begins.
        case begin(FieldGroup)
        /// The innermost protocol, structure, list or element ends.
        case end
    }

    /// What it is.
    public var kind: Kind
    /// The name of the protocol, field, structure or list.
    public var name: StaticString
    /// Its place, from the start of the bytes that it was read from.
    public var range: ByteRange
    /// Whether its bytes are shown elsewhere, as the fields of what they hold.
    public var isTakenApart = false
}

/// The fields of a packet in wire order, as a flat list in which structures have a begin and an end. It is used again from packet to
/// packet.
///
/// It owns a copy of the bytes that the fields were read from, so that a tree outlives its packet.
public final class FieldTree: FieldSink {
    /// The entries.
    public private(set) var nodes: [FieldNode] = []
    /// All bytes that fields were read from, one run behind the other.
    private var bytes: [UInt8] = []
    /// Where each of the runs begins and ends in `bytes`.
    private var runs: [Range<Int>] = []
    /// For every node the run that its range counts from.
    private var runOfNode: [Int] = []

    /// An empty tree.
    public init() {}

    func removeAll() {
        guard !nodes.isEmpty || !runs.isEmpty else { return }
        nodes.removeAll(keepingCapacity: true)
        runOfNode.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
    }

    /// Copies `run` into the tree; the fields that follow are read from it.
    func beginBytes(_ run: UnsafeRawBufferPointer) {
        runs.append(bytes.count..<bytes.count + run.count)
        bytes.append(contentsOf: run)
    }

    /// Calls `body` with all the bytes that the node at `index` and its neighbours were read from: a datagram, or a carried message.
    public func withBytes<Result>(ofNode index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[runs[runOfNode[index]]])) }
    }

    /// The bytes that the node at `index` was read from, by their place among all bytes of the tree.
    func run(ofNode index: Int) -> Range<Int> { runs[runOfNode[index]] }

    private func append(_ kind: FieldNode.Kind, _ name: StaticString, _ range: ByteRange) {
        nodes.append(FieldNode(kind: kind, name: name, range: range))
        runOfNode.append(runs.count - 1)
    }

    func beginProtocol(_ name: StaticString, at offset: Int) {
        append(.protocol, name, ByteRange(start: offset, count: 0))
    }

    func endProtocol(at offset: Int) {
        append(.end, "", ByteRange(start: offset, count: 0))
    }

    public func field(_ name: StaticString, _ value: FieldValue, at range: ByteRange, _ format: FieldFormat) {
        append(.field(value, format), name, range)
    }

    public func beginGroup(_ name: StaticString, _ kind: FieldGroup, at offset: Int) {
        append(.begin(kind), name, ByteRange(start: offset, count: 0))
    }

    public func endGroup(at offset: Int) {
        append(.end, "", ByteRange(start: offset, count: 0))
    }

    /// Marks the last field: what it holds is shown taken apart.
    func takeApartLastField() {
        for index in nodes.indices.reversed() {
            guard case .field = nodes[index].kind else { continue }
            nodes[index].isTakenApart = true
            return
        }
    }

    /// The first field called `name` at or behind the node `start`.
    func firstField(_ name: StaticString, from start: Int = 0) -> (value: FieldValue, format: FieldFormat)? {
        for node in nodes[start...] {
            if case .field(let value, let format) = node.kind, node.name.isEqual(to: name) { return (value, format) }
        }
        return nil
    }
}

extension StaticString {
    func isEqual(to other: StaticString) -> Bool {
        utf8CodeUnitCount == other.utf8CodeUnitCount
            && UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
                .elementsEqual(UnsafeRawBufferPointer(start: other.utf8Start, count: utf8CodeUnitCount))
    }
}

extension TextBuffer {
    /// A field's number with its meaning: the label, the names of the flags, or the number.
    mutating func append(meaningOf number: UInt64, _ format: FieldFormat) {
        switch format {
        case .labelled(let label):
            if let text = label(number) { append(text) } else { append(number) }
        case .flags(let labels):
            var isFirst = true
            var rest = number
            for flag in labels where number & flag.mask == flag.mask && flag.mask != 0 {
                if !isFirst { append(",") }
                isFirst = false
                append(flag.name)
                rest &= ~flag.mask
            }
            if rest != 0 || isFirst {
                if !isFirst { append(",") }
                append(hexadecimal: rest)
            }
        case .hexadecimal: append(hexadecimal: number)
        case .decimal, .text, .ipAddress, .padding: append(number)
        }
    }
}
