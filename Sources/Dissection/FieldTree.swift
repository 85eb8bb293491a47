import Captures
import Glibc
import WireFormat

/// One entry of a field tree.
public struct FieldNode: Sendable {
    /// What an entry is.
    public enum Kind: Sendable {
        /// The fields of a protocol begin.
        case `protocol`
        /// A field.
        case field(FieldValue)
        /// A structure, list or element of a list begins.
        case begin(FieldGroup)
        /// The innermost protocol, structure, list or element ends.
        case end
    }

    /// What it is.
    public var kind: Kind
    /// The name of the protocol, field, structure or list.
    public var name: StaticString
    /// Its place, from the start of the bytes that it was read from. A protocol, structure or list has the place of all it holds.
    public var range: ByteRange
    /// Which of the tree's formats a field is shown by.
    var format: Int32 = 0
    /// Which of the tree's runs its place counts in.
    var run: Int32 = 0
    /// Of a beginning: the one around it; -1 when there is none.
    var enclosing: Int32 = -1
    /// Whether its bytes are shown elsewhere, as the fields of what they hold.
    public var isTakenApart = false
}

/// A run of bytes that fields were read from.
public struct ByteRun: Sendable {
    /// Where bytes come from.
    public enum Origin: Sendable, Hashable {
        /// The frame as it was recorded.
        case frame
        /// The payload of a UDP datagram, or of a TCP segment.
        case datagram
        /// What a security envelope held.
        case decrypted
        /// What a compressed packet held.
        case decompressed
        /// A message that was put together from pieces of several packets.
        case reassembled
        /// A part of another run of the tree: which one, and where it begins in it.
        case part(run: Int, offset: Int)
    }

    /// Where the bytes come from.
    public var origin: Origin
    /// Its place among all the bytes of the tree.
    var range: Range<Int>
    /// Where the bytes lay when they were copied; meaningful while the packet is dissected.
    var memory: Range<UInt>
}

/// The entries of a tree, as long as the tree is not filled anew.
public struct FieldNodes: RandomAccessCollection {
    fileprivate let tree: FieldTree

    @inline(__always)
    public var startIndex: Int { 0 }

    @inline(__always)
    public var endIndex: Int { tree.count }

    @inline(__always)
    public subscript(index: Int) -> FieldNode {
        _read {
            precondition(index >= 0 && index < tree.count)
            yield tree.storage[index]
        }
    }
}

/// The fields of a packet in wire order, as a flat list in which structures have a begin and an end. It is used again from packet to
/// packet.
///
/// It owns a copy of the bytes that the fields were read from, so that a tree outlives its packet.
public final class FieldTree: FieldSink {
    /// Memory for entries, of which the first `count` are there. An entry is nothing but plain bytes, so that a tree is emptied by
    /// forgetting how many there are.
    fileprivate private(set) var storage: UnsafeMutablePointer<FieldNode>
    fileprivate private(set) var count = 0
    private var capacity = 64
    /// The innermost entry that has begun and not ended; -1 when there is none.
    private var innermost = -1
    /// All bytes that fields were read from, one run behind the other.
    private var bytes: [UInt8] = []
    /// The runs that fields were read from, in the order in which they were begun.
    public private(set) var runs: [ByteRun] = []
    /// How fields are shown. A format may be a function or a table, which is counted at every copy; entries that name theirs by number
    /// are copied and emptied like plain bytes.
    private var formats = FieldTree.plainFormats
    /// How many of them are of this packet; the places of the others are used again.
    private var formatCount = FieldTree.plainFormatCount

    /// Which fields are wanted by name; their values are kept apart from the list.
    private(set) var selection: FieldSelection?
    /// The values that were found of them.
    private(set) var selected = SelectedValues(nil)
    /// Whether the list is kept; without it there are the selected values only.
    private var keepsNodes = true
    /// What is being read, where it is not copied as a whole.
    private var uncopied = UnsafeRawBufferPointer(start: nil, count: 0)

    /// Formats that are nothing but a word, whose numbers are always the same.
    private static let plainFormats: [FieldFormat] = [.decimal, .hexadecimal, .text, .ipAddress, .hardwareAddress, .padding]
    private static let plainFormatCount = 6

    /// The numbers of plain formats.
    enum FormatNumber {
        static let decimal: Int32 = 0
        static let hexadecimal: Int32 = 1
        static let text: Int32 = 2
        static let ipAddress: Int32 = 3
        static let hardwareAddress: Int32 = 4
        static let padding: Int32 = 5
    }

    /// An empty tree.
    public init() {
        storage = .allocate(capacity: capacity)
    }

    deinit {
        storage.deallocate()
    }

    /// The entry at `index`, in place; valid until the tree is filled anew.
    @inline(__always)
    func entry(_ index: Int) -> UnsafePointer<FieldNode> {
        precondition(index >= 0 && index < count)
        return UnsafePointer(storage + index)
    }

    /// The entries.
    @inline(__always)
    public var nodes: FieldNodes { FieldNodes(tree: self) }

    /// Says what is kept of the packets that follow: the list of all fields or not, and those of `selection`.
    func keep(nodes keepsNodes: Bool, _ selection: FieldSelection?) {
        self.keepsNodes = keepsNodes
        guard selection !== self.selection else { return }
        self.selection = selection
        selected = SelectedValues(selection)
    }

    func removeAll() {
        selected.removeAll()
        formatCount = Self.plainFormatCount
        guard count > 0 || !bytes.isEmpty || !runs.isEmpty else { return }
        count = 0
        innermost = -1
        bytes.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
    }

    /// Copies `run` into the tree; the fields that follow are read from it. Bytes of which nothing is said are a part of what is there
    /// already when they lie in it, the datagram when they are the first ones, and otherwise put together from several packets.
    func beginBytes(_ run: UnsafeRawBufferPointer, _ origin: ByteRun.Origin? = nil) {
        guard keepsNodes else {
            uncopied = run
            return
        }
        let start = UInt(bitPattern: run.baseAddress)
        let memory = start..<start + UInt(run.count)
        let found = origin ?? (runs.isEmpty ? .datagram : part(at: memory) ?? .reassembled)
        runs.append(ByteRun(origin: found, range: bytes.count..<bytes.count + run.count, memory: memory))
        bytes.append(contentsOf: run)
    }

    /// The innermost run in whose memory `memory` lies.
    private func part(at memory: Range<UInt>) -> ByteRun.Origin? {
        guard !memory.isEmpty else { return nil }
        for index in runs.indices.reversed() where runs[index].memory.contains(memory) {
            return .part(run: index, offset: Int(memory.lowerBound - runs[index].memory.lowerBound))
        }
        return nil
    }

    /// The number of the run that the place of the node at `index` counts in.
    public func runIndex(ofNode index: Int) -> Int { Int(nodes[index].run) }

    /// Calls `body` with the bytes of a run.
    public func withBytes<Result>(ofRun index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[runs[index].range])) }
    }

    /// Calls `body` with all the bytes that the node at `index` and its neighbours were read from: a datagram, or a carried message.
    public func withBytes<Result>(ofNode index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withBytes(ofRun: runIndex(ofNode: index), body)
    }

    /// The bytes that the node at `index` was read from, by their place among all bytes of the tree.
    func run(ofNode index: Int) -> Range<Int> { runs[runIndex(ofNode: index)].range }

    /// How the field at `index` is shown.
    public func format(ofNode index: Int) -> FieldFormat { formats[Int(nodes[index].format)] }

    @inline(__always)
    private func number(of format: FieldFormat) -> Int32 {
        switch format {
        case .decimal: FormatNumber.decimal
        case .hexadecimal: FormatNumber.hexadecimal
        case .text: FormatNumber.text
        case .ipAddress: FormatNumber.ipAddress
        case .hardwareAddress: FormatNumber.hardwareAddress
        case .padding: FormatNumber.padding
        case .labelled, .flags: numberOfNew(format)
        }
    }

    @inline(never)
    private func numberOfNew(_ format: FieldFormat) -> Int32 {
        if formatCount < formats.count { formats[formatCount] = format } else { formats.append(format) }
        formatCount += 1
        return Int32(truncatingIfNeeded: formatCount - 1)
    }

    @inline(never)
    private func grow() {
        let larger = UnsafeMutablePointer<FieldNode>.allocate(capacity: 2 * capacity)
        larger.moveInitialize(from: storage, count: count)
        storage.deallocate()
        storage = larger
        capacity *= 2
    }

    @inline(__always)
    private func append(_ kind: FieldNode.Kind, _ name: StaticString, _ range: ByteRange, format: Int32 = 0, enclosing: Int = -1) {
        if count == capacity { grow() }
        // There is room: `count` is below `capacity`.
        (storage + count).initialize(
            to: FieldNode(
                kind: kind,
                name: name,
                range: range,
                format: format,
                run: Int32(truncatingIfNeeded: runs.count &- 1),
                enclosing: Int32(truncatingIfNeeded: enclosing)
            )
        )
        count &+= 1
    }

    @inline(never)
    private func begin(_ kind: FieldNode.Kind, _ name: StaticString, at offset: Int) {
        append(kind, name, ByteRange(start: offset, count: 0), enclosing: innermost)
        innermost = count &- 1
    }

    @inline(never)
    private func end(at offset: Int) {
        append(.end, "", ByteRange(start: offset, count: 0))
        guard innermost >= 0 else { return }
        // What is innermost was appended, and entries go all at once.
        let start = storage + innermost
        start.pointee.range.count = max(0, offset - start.pointee.range.start)
        innermost = Int(start.pointee.enclosing)
    }

    func beginProtocol(_ name: StaticString, at offset: Int) {
        selected.begin(name)
        if keepsNodes { begin(.protocol, name, at: offset) }
    }

    func endProtocol(at offset: Int) {
        endGroup(at: offset)
    }

    @inline(__always)
    public func wantsField(_ name: StaticString) -> Bool { keepsNodes || selected.mayWant(name) }

    @inline(__always)
    public func field(_ name: StaticString, _ value: FieldValue, at range: ByteRange, _ format: FieldFormat) {
        if selected.mayWant(name) { selectField(name, value, range.count, format) }
        if keepsNodes { appendField(name, value, range, number(of: format)) }
    }

    @inline(never)
    private func selectField(_ name: StaticString, _ value: FieldValue, _ width: Int, _ format: FieldFormat) {
        if let field = selected.field(name) { select(value, as: field, width: width, format) }
    }

    @inline(never)
    private func appendField(_ name: StaticString, _ value: FieldValue, _ range: ByteRange, _ format: Int32) {
        append(.field(value), name, range, format: format)
    }

    /// Keeps a value that is wanted, and its bytes where they are not kept with all others.
    private func select(_ value: FieldValue, as field: Int32, width: Int, _ format: FieldFormat) {
        let format = number(of: format)
        switch value {
        case .unsigned(let number): selected.append(.unsigned(number), as: field, format: format, width: width)
        case .signed(let number): selected.append(.signed(number), as: field, format: format, width: width)
        case .bytes(let range):
            let start: Int
            if keepsNodes {
                start = (runs.last?.range.lowerBound ?? 0) + range.start
            } else {
                start = bytes.count
                bytes.append(contentsOf: uncopied[range.range])
            }
            selected.append(.bytes(start..<start + range.count), as: field, format: format, width: width)
        }
    }

    @inline(__always)
    public func beginGroup(_ name: StaticString, _ kind: FieldGroup, at offset: Int) {
        if case .element = kind { selected.beginElement() } else { selected.begin(name) }
        if keepsNodes { begin(.begin(kind), name, at: offset) }
    }

    @inline(__always)
    public func endGroup(at offset: Int) {
        selected.end()
        if keepsNodes { end(at: offset) }
    }

    /// Whether the protocol, structure or list with `number` is selected and there.
    func hasSelected(_ number: Int32) -> Bool { selected.firstPlace(of: number) >= 0 }

    /// Hands every value of the selected field with `number` to `body`, until `body` wants no more.
    @inline(__always)
    func forEachSelected(_ number: Int32, _ body: (FieldDatum, FieldReader.Style) -> Bool) {
        var place = selected.firstPlace(of: number)
        while place >= 0 {
            let value = selected[place]
            place = value.next
            // Most numbers are shown as they are.
            if case .unsigned(let number) = value.content, value.format == FormatNumber.decimal {
                guard body(.unsigned(number), FieldReader.Style()) else { return }
            } else {
                guard handOver(value, body) else { return }
            }
        }
    }

    private func handOver(_ value: SelectedValues.Value, _ body: (FieldDatum, FieldReader.Style) -> Bool) -> Bool {
        let format = formats[Int(value.format)]
        let style = FieldReader.Style(format: format, width: Int(value.width))
        switch value.content {
        case .present: return body(.present, FieldReader.Style())
        case .unsigned(let number): return body(FieldDatum(number, format), style)
        case .signed(let number): return body(.signed(number), style)
        case .bytes(let range):
            return bytes.withUnsafeBytes { body(FieldDatum(UnsafeRawBufferPointer(rebasing: $0[range]), format), style) }
        }
    }

    /// Marks the last field: what it holds is shown taken apart.
    func takeApartLastField() {
        for index in nodes.indices.reversed() {
            guard case .field = storage[index].kind else { continue }
            storage[index].isTakenApart = true
            return
        }
    }

    /// The first field called `name` at or behind the node `start`.
    func firstField(_ name: StaticString, from start: Int = 0) -> (value: FieldValue, format: FieldFormat)? {
        for index in nodes[start...].indices {
            if case .field(let value) = nodes[index].kind, nodes[index].name.isEqual(to: name) { return (value, format(ofNode: index)) }
        }
        return nil
    }
}

extension FieldTree: HeaderSink {
    public func beginHeader(_ layer: FrameProtocol, at offset: Int) { beginProtocol(layer.name, at: offset) }

    public func endHeader(at offset: Int) { endGroup(at: offset) }
}

extension StaticString {
    func isEqual(to other: StaticString) -> Bool {
        utf8CodeUnitCount == other.utf8CodeUnitCount
            && (utf8Start == other.utf8Start || memcmp(utf8Start, other.utf8Start, utf8CodeUnitCount) == 0)
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
        case .ipAddress: append(IPAddress(ipv4: UInt32(truncatingIfNeeded: number)))
        case .decimal, .text, .hardwareAddress, .padding: append(number)
        }
    }
}
