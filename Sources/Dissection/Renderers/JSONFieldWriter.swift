import WireFormat

/// Writes a run of a field tree as a JSON object.
///
/// Keys are `<protocol>.<field>`, with the names of structures in between; a list is an array, of objects where its elements are
/// structures, and inside those objects names begin with the element's own fields. Bytes that are shown taken apart are left out.
final class JSONFieldWriter {
    private enum Scope {
        /// A protocol or structure: only a part of the names inside.
        case name
        case object
        case array
    }

    private struct Opened {
        var scope: Scope
        /// What to go back to at its end.
        var pathCount: Int
        var pathStart: Int
    }

    /// Names of the protocol and structures around the next field, each with its dot; those before `pathStart` belong to objects further
    /// out.
    private var path: UnsafeMutablePointer<UInt8>
    private var pathCapacity = 256
    private var pathCount = 0
    private var pathStart = 0
    /// Memory for what has begun and not ended, of which the first `depth` are there.
    private var opened: UnsafeMutablePointer<Opened>
    private var openedCapacity = 16
    private var depth = 0
    private var isInArray = false
    private var needsComma = false
    /// The last of several fields of one name in a row, which are one member; before the current entry when there are none.
    private var lastOfSameName = -1

    init() {
        path = .allocate(capacity: pathCapacity)
        opened = .allocate(capacity: openedCapacity)
    }

    deinit {
        path.deallocate()
        opened.deallocate()
    }

    func append(_ tree: FieldTree, nodes: Range<Int>, to text: inout TextBuffer) {
        pathCount = 0
        pathStart = 0
        depth = 0
        isInArray = false
        needsComma = false
        lastOfSameName = -1
        text.append("{")
        var index = nodes.lowerBound
        while index < nodes.upperBound {
            var isLong = false
            text.write(atMost: Self.pieceSize) { writer in
                while index < nodes.upperBound {
                    let node = tree.entry(index)
                    // The key with its quotes, colon and comma, and brackets.
                    isLong = !write(node, index, tree, nodes, keyRoom: pathCount + node.pointee.name.utf8CodeUnitCount + 8, to: &writer)
                    if isLong { return }
                    index += 1
                }
            }
            // Either the piece was full, or the entry fits in none.
            if isLong {
                appendLong(index, tree, nodes, to: &text)
                index += 1
            }
        }
        text.append("}")
    }

    /// Room that is made for entries at once.
    private static let pieceSize = 4096
    /// Bytes of a field that are written without looking for more room.
    private static let byteLimit = 64

    /// Writes the entry at `index`; false when there may be too little room for it.
    @inline(__always)
    private func write(
        _ node: UnsafePointer<FieldNode>,
        _ index: Int,
        _ tree: FieldTree,
        _ nodes: Range<Int>,
        keyRoom: Int,
        to writer: inout TextWriter
    ) -> Bool {
        // What is largest besides the key: a number, or bytes in hexadecimal in quotes.
        guard writer.room >= keyRoom + 2 * Self.byteLimit + 8 else { return false }
        let name = node.pointee.name
        switch node.pointee.kind {
        case .protocol, .begin(.structure): open(.name, name)
        case .begin(.list):
            writeKey(name, to: &writer)
            writer.append(byte: UInt8(ascii: "["))
            open(.array)
        case .begin(.element):
            if needsComma { writer.append(byte: UInt8(ascii: ",")) }
            writer.append(byte: UInt8(ascii: "{"))
            open(.object)
        case .end:
            switch close() {
            case .name?, nil: break
            case .object?: writer.append(byte: UInt8(ascii: "}"))
            case .array?: writer.append(byte: UInt8(ascii: "]"))
            }
        case .field(let value):
            if node.pointee.isTakenApart, index > lastOfSameName { return true }
            switch value {
            case .unsigned(let number):
                beginField(index, name, tree, nodes, to: &writer)
                writer.append(number)
            case .signed(let number):
                beginField(index, name, tree, nodes, to: &writer)
                writer.append(number)
            case .bytes(let range):
                guard range.count <= Self.byteLimit else { return false }
                return writeBytes(node, index, range, tree, nodes, to: &writer)
            }
            endField(index, to: &writer)
        }
        return true
    }

    /// Writes a field of few bytes; false when it is text, which may grow.
    @inline(__always)
    private func writeBytes(
        _ node: UnsafePointer<FieldNode>,
        _ index: Int,
        _ range: ByteRange,
        _ tree: FieldTree,
        _ nodes: Range<Int>,
        to writer: inout TextWriter
    ) -> Bool {
        let format = node.pointee.format
        let isAddress = format == FieldTree.FormatNumber.ipAddress
        if format == FieldTree.FormatNumber.text || format == FieldTree.FormatNumber.hardwareAddress { return false }
        if isAddress, range.count != 4 { return false }
        beginField(index, node.pointee.name, tree, nodes, to: &writer)
        writer.append(byte: UInt8(ascii: "\""))
        tree.withBytes(ofNode: index) { bytes in
            let run = UnsafeRawBufferPointer(rebasing: bytes[range.range])
            if isAddress {
                writer.append(ipv4: UInt32(bigEndian: run.loadUnaligned(as: UInt32.self)))
            } else {
                writer.append(hexadecimalOf: run)
            }
        }
        writer.append(byte: UInt8(ascii: "\""))
        endField(index, to: &writer)
        return true
    }

    /// Appends an entry of any length.
    @inline(never)
    private func appendLong(_ index: Int, _ tree: FieldTree, _ nodes: Range<Int>, to text: inout TextBuffer) {
        let name = tree.nodes[index].name
        let room = pathCount + name.utf8CodeUnitCount + 8
        guard case .field(.bytes(let range)) = tree.nodes[index].kind else {
            text.write(atMost: room + 2 * Self.byteLimit + 8) {
                _ = write(tree.entry(index), index, tree, nodes, keyRoom: room, to: &$0)
            }
            return
        }
        if tree.nodes[index].isTakenApart, index > lastOfSameName { return }
        text.write(atMost: room) { beginField(index, name, tree, nodes, to: &$0) }
        tree.withBytes(ofNode: index) { bytes in
            let run = UnsafeRawBufferPointer(rebasing: bytes[range.range])
            let format = tree.format(ofNode: index)
            if case .text = format {
                text.append(quotedForeign: UnsafeRawBufferPointer(rebasing: run.prefix { $0 != 0 }))
            } else {
                text.append("\"")
                text.append(run, format)
                text.append("\"")
            }
        }
        text.write(atMost: 1) { endField(index, to: &$0) }
    }

    /// The comma and the key of the next value, where it needs them.
    @inline(__always)
    private func writeKey(_ name: StaticString, to writer: inout TextWriter) {
        if needsComma { writer.append(byte: UInt8(ascii: ",")) }
        if isInArray { return }
        writer.append(byte: UInt8(ascii: "\""))
        writer.append(short: path + pathStart, pathCount - pathStart)
        writer.append(name: name)
        writer.append(byte: UInt8(ascii: "\""))
        writer.append(byte: UInt8(ascii: ":"))
    }

    /// What stands before a field's value. Fields of one name in a row are one member, so that keys stay unique; inside an array every one
    /// stands for itself.
    @inline(__always)
    private func beginField(_ index: Int, _ name: StaticString, _ tree: FieldTree, _ nodes: Range<Int>, to writer: inout TextWriter) {
        if index <= lastOfSameName { return writer.append(byte: UInt8(ascii: ",")) }
        writeKey(name, to: &writer)
        guard !isInArray, index + 1 < nodes.upperBound, isField(index + 1, calledAs: name, tree) else { return }
        var last = index + 1
        while last + 1 < nodes.upperBound, isField(last + 1, calledAs: name, tree) { last += 1 }
        lastOfSameName = last
        writer.append(byte: UInt8(ascii: "["))
    }

    @inline(__always)
    private func isField(_ index: Int, calledAs name: StaticString, _ tree: FieldTree) -> Bool {
        let node = tree.entry(index)
        guard node.pointee.name.utf8CodeUnitCount == name.utf8CodeUnitCount, case .field = node.pointee.kind else { return false }
        return node.pointee.name.isEqual(to: name)
    }

    /// What stands behind a field's value.
    @inline(__always)
    private func endField(_ index: Int, to writer: inout TextWriter) {
        if index == lastOfSameName { writer.append(byte: UInt8(ascii: "]")) }
        needsComma = true
    }

    @inline(__always)
    private func open(_ scope: Scope, _ name: StaticString = "") {
        if depth == openedCapacity { growOpened() }
        (opened + depth).initialize(to: Opened(scope: scope, pathCount: pathCount, pathStart: pathStart))
        depth += 1
        if scope == .name {
            let count = name.utf8CodeUnitCount
            if pathCount + count + 1 > pathCapacity { growPath(by: count + 1) }
            (path + pathCount).update(from: name.utf8Start, count: count)
            path[pathCount + count] = UInt8(ascii: ".")
            pathCount += count + 1
        } else {
            pathStart = pathCount
            needsComma = false
        }
        isInArray = scope == .array
    }

    @inline(never)
    private func growOpened() {
        let larger = UnsafeMutablePointer<Opened>.allocate(capacity: 2 * openedCapacity)
        larger.moveInitialize(from: opened, count: depth)
        opened.deallocate()
        opened = larger
        openedCapacity *= 2
    }

    @inline(never)
    private func growPath(by room: Int) {
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * pathCapacity + room)
        larger.update(from: path, count: pathCount)
        path.deallocate()
        path = larger
        pathCapacity = 2 * pathCapacity + room
    }

    /// Ends the innermost scope, and says what it was.
    @inline(__always)
    private func close() -> Scope? {
        guard depth > 0 else { return nil }
        depth -= 1
        let last = opened[depth]
        pathCount = last.pathCount
        pathStart = last.pathStart
        isInArray = depth > 0 && opened[depth - 1].scope == .array
        if last.scope != .name { needsComma = true }
        return last.scope
    }
}
