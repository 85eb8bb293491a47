/// The value of one field, as read.
public enum FieldValue: Sendable {
    /// An integer without sign.
    case unsigned(UInt64)
    /// An integer with sign.
    case signed(Int64)
    /// Bytes, by position in the packet.
    case bytes(ByteRange)
}

/// Receives the fields of a message in wire order, each with its place in the packet.
public protocol FieldSink {
    /// A field. `range` is its place in the buffer that is dissected.
    mutating func field(_ name: StaticString, _ value: FieldValue, at range: ByteRange, _ format: FieldFormat)
    /// A structure begins; fields up to the matching `endGroup` are inside it.
    mutating func beginGroup(_ name: StaticString, _ kind: FieldGroup, at offset: Int)
    /// The innermost group ends before `offset`.
    mutating func endGroup(at offset: Int)
    /// Whether it may want a field called `name` in the group at hand. What it does not want is read and not reported.
    func wantsField(_ name: StaticString) -> Bool
}

extension FieldSink {
    /// It wants all fields unless it says otherwise.
    @inlinable
    public func wantsField(_ name: StaticString) -> Bool { true }
}

/// What a group of fields is.
public enum FieldGroup: Sendable {
    /// A structure inside a message.
    case structure
    /// A list; its elements are either groups of kind `element` or fields of the list's own name. Without a count it goes up to
    /// the end of the packet.
    case list(count: Int?)
    /// One element of a list of structures.
    case element(index: Int)
}

/// Reads a message and reports every field to a sink.
public struct WireDissector<Sink: FieldSink>: WireVisitor {
    private var reader: WireReader

    /// Where the fields go.
    public var sink: Sink

    /// A dissector of `buffer`, from `offset` on.
    public init(_ buffer: UnsafeRawBufferPointer, offset: Int = 0, byteOrder: ByteOrder = .little, sink: Sink) {
        reader = WireReader(buffer, offset: offset, byteOrder: byteOrder)
        self.sink = sink
    }

    public static var purpose: VisitPurpose { .read }

    public var byteOrder: ByteOrder {
        get { reader.byteOrder }
        set { reader.byteOrder = newValue }
    }

    public var offset: Int { reader.offset }

    public var remaining: Int { reader.remaining }

    private func range(from start: Int) -> ByteRange {
        ByteRange(start: start, count: reader.offset - start)
    }

    public mutating func field<T: WireInteger>(
        _ name: StaticString,
        _ value: inout T,
        order: ByteOrder,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        let start = offset
        try reader.field(name, &value, order: order, .decimal)
        guard sink.wantsField(name) else { return }
        sink.field(name, T.isSigned ? .signed(Int64(value)) : .unsigned(UInt64(value)), at: range(from: start), format())
    }

    public mutating func field<let count: Int>(
        _ name: StaticString,
        _ value: inout InlineArray<count, UInt8>,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        let start = offset
        try reader.field(name, &value, .decimal)
        guard sink.wantsField(name) else { return }
        sink.field(name, .bytes(range(from: start)), at: range(from: start), format())
    }

    public mutating func field(
        _ name: StaticString,
        _ value: inout [UInt8],
        count: Int,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        let start = offset
        try reader.field(name, &value, count: count, .decimal)
        guard sink.wantsField(name) else { return }
        sink.field(name, .bytes(range(from: start)), at: range(from: start), format())
    }

    public mutating func terminated(_ name: StaticString, _ value: inout [UInt8], limit: Int) throws(WireError) {
        let start = offset
        try reader.terminated(name, &value, limit: limit)
        guard sink.wantsField(name) else { return }
        sink.field(name, .bytes(ByteRange(start: start, count: value.count)), at: range(from: start), .text)
    }

    public mutating func payload(_ name: StaticString, _ value: inout ByteRange) throws(WireError) {
        try reader.payload(name, &value)
        guard sink.wantsField(name) else { return }
        sink.field(name, .bytes(value), at: value, .decimal)
    }

    public mutating func structure<S: WireStructure>(_ name: StaticString, _ value: inout S) throws(WireError) {
        sink.beginGroup(name, .structure, at: offset)
        // The group ends even where reading fails, so that what was read keeps its place in the tree.
        defer { sink.endGroup(at: offset) }
        try value.visit(&self)
    }

    public mutating func list<S: WireStructure>(_ name: StaticString, _ elements: inout [S], count: Int) throws(WireError) {
        guard count >= 0, count <= remaining else {
            throw WireError(.truncated(needed: count, available: remaining), field: name, offset: offset)
        }
        elements.removeAll(keepingCapacity: true)
        sink.beginGroup(name, .list(count: count), at: offset)
        defer { sink.endGroup(at: offset) }
        for index in 0..<count {
            var element = S()
            sink.beginGroup(name, .element(index: index), at: offset)
            defer { sink.endGroup(at: offset) }
            try element.visit(&self)
            elements.append(element)
        }
    }

    public mutating func list<let count: Int, S: WireStructure>(
        _ name: StaticString,
        _ elements: inout InlineArray<count, S>
    ) throws(WireError) {
        sink.beginGroup(name, .list(count: count), at: offset)
        defer { sink.endGroup(at: offset) }
        for index in elements.indices {
            sink.beginGroup(name, .element(index: index), at: offset)
            defer { sink.endGroup(at: offset) }
            try elements[index].visit(&self)
        }
    }

    public mutating func list<S: WireStructure>(_ name: StaticString, _ elements: inout [S]) throws(WireError) {
        elements.removeAll(keepingCapacity: true)
        sink.beginGroup(name, .list(count: nil), at: offset)
        defer { sink.endGroup(at: offset) }
        while remaining > 0 {
            let start = offset
            var element = S()
            sink.beginGroup(name, .element(index: elements.count), at: offset)
            defer { sink.endGroup(at: offset) }
            try element.visit(&self)
            guard offset > start else { throw WireError(.invalidValue(0), field: name, offset: start) }
            elements.append(element)
        }
    }

    public mutating func list<T: WireInteger>(
        _ name: StaticString,
        _ elements: inout [T],
        count: Int,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        guard count >= 0, count <= remaining / MemoryLayout<T>.size else {
            throw WireError(.truncated(needed: count, available: remaining), field: name, offset: offset)
        }
        elements.removeAll(keepingCapacity: true)
        sink.beginGroup(name, .list(count: count), at: offset)
        defer { sink.endGroup(at: offset) }
        for _ in 0..<count {
            var element: T = 0
            try field(name, &element, order: byteOrder, format())
            elements.append(element)
        }
    }
}
