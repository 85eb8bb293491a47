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

/// The fields of a packet in wire order, as a flat list in which structures have a begin and an end. It is used again from packet to
/// packet.
///
/// It owns a copy of the bytes that the fields were read from, so that a tree outlives its packet.
public final class FieldTree: FieldSink {
    /// The entries.
    public private(set) var nodes: [FieldNode] = []
    /// All bytes that fields were read from, one run behind the other.
    private var bytes: [UInt8] = []
    /// The runs that fields were read from, in the order in which they were begun.
    public private(set) var runs: [ByteRun] = []
    /// For every node the run that its range counts from.
    private var runOfNode: [Int] = []
    /// Nodes that have begun and not ended.
    private var open: [Int] = []
    /// How fields are shown. A format may be a function or a table, which is counted at every copy; entries that name theirs by number
    /// are copied and emptied like plain bytes.
    private var formats = FieldTree.plainFormats

    /// Formats that are nothing but a word, whose numbers are always the same.
    private static let plainFormats: [FieldFormat] = [.decimal, .hexadecimal, .text, .ipAddress, .hardwareAddress, .padding]
    private static let plainFormatCount = 6

    /// An empty tree.
    public init() {}

    func removeAll() {
        guard !nodes.isEmpty || !runs.isEmpty else { return }
        nodes.removeAll(keepingCapacity: true)
        runOfNode.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
        open.removeAll(keepingCapacity: true)
        formats.removeLast(formats.count - Self.plainFormatCount)
    }

    /// Copies `run` into the tree; the fields that follow are read from it. Bytes of which nothing is said are a part of what is there
    /// already when they lie in it, the datagram when they are the first ones, and otherwise put together from several packets.
    func beginBytes(_ run: UnsafeRawBufferPointer, _ origin: ByteRun.Origin? = nil) {
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
    public func runIndex(ofNode index: Int) -> Int { runOfNode[index] }

    /// Calls `body` with the bytes of a run.
    public func withBytes<Result>(ofRun index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[runs[index].range])) }
    }

    /// Calls `body` with all the bytes that the node at `index` and its neighbours were read from: a datagram, or a carried message.
    public func withBytes<Result>(ofNode index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withBytes(ofRun: runOfNode[index], body)
    }

    /// The bytes that the node at `index` was read from, by their place among all bytes of the tree.
    func run(ofNode index: Int) -> Range<Int> { runs[runOfNode[index]].range }

    /// How the field at `index` is shown.
    public func format(ofNode index: Int) -> FieldFormat { formats[Int(nodes[index].format)] }

    private func number(of format: FieldFormat) -> Int32 {
        switch format {
        case .decimal: return 0
        case .hexadecimal: return 1
        case .text: return 2
        case .ipAddress: return 3
        case .hardwareAddress: return 4
        case .padding: return 5
        case .labelled, .flags:
            formats.append(format)
            return Int32(truncatingIfNeeded: formats.count - 1)
        }
    }

    private func append(_ kind: FieldNode.Kind, _ name: StaticString, _ range: ByteRange, format: Int32 = 0) {
        nodes.append(FieldNode(kind: kind, name: name, range: range, format: format))
        runOfNode.append(runs.count - 1)
    }

    private func begin(_ kind: FieldNode.Kind, _ name: StaticString, at offset: Int) {
        open.append(nodes.count)
        append(kind, name, ByteRange(start: offset, count: 0))
    }

    private func end(at offset: Int) {
        append(.end, "", ByteRange(start: offset, count: 0))
        guard let start = open.popLast() else { return }
        nodes[start].range.count = max(0, offset - nodes[start].range.start)
    }

    func beginProtocol(_ name: StaticString, at offset: Int) {
        begin(.protocol, name, at: offset)
    }

    func endProtocol(at offset: Int) {
        end(at: offset)
    }

    public func field(_ name: StaticString, _ value: FieldValue, at range: ByteRange, _ format: FieldFormat) {
        append(.field(value), name, range, format: number(of: format))
    }

    public func beginGroup(_ name: StaticString, _ kind: FieldGroup, at offset: Int) {
        begin(.begin(kind), name, at: offset)
    }

    public func endGroup(at offset: Int) {
        end(at: offset)
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
        for index in nodes[start...].indices {
            if case .field(let value) = nodes[index].kind, nodes[index].name.isEqual(to: name) { return (value, format(ofNode: index)) }
        }
        return nil
    }
}

extension FieldTree: HeaderSink {
    public func beginHeader(_ layer: FrameProtocol, at offset: Int) { begin(.protocol, layer.name, at: offset) }

    public func endHeader(at offset: Int) { end(at: offset) }
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
