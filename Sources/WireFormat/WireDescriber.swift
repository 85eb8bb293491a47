/// Receives the layout of a message: names, types and formats, in wire order.
public protocol LayoutSink {
    /// A field of type `type` (`u16`, `bytes[33]`, `bytes`, `text`, `payload`).
    mutating func field(_ name: StaticString, type: String, _ format: FieldFormat)
    /// A structure, or a list of structures; fields up to `endGroup` are inside it.
    mutating func beginGroup(_ name: StaticString, isList: Bool)
    /// The innermost group ends.
    mutating func endGroup()
}

/// Tells a message's layout, optional parts included, without any bytes.
public struct WireDescriber<Sink: LayoutSink>: WireVisitor {
    /// Where the layout goes.
    public var sink: Sink

    public var byteOrder: ByteOrder = .little

    public var offset: Int { 0 }

    public var remaining: Int { 0 }

    public static var purpose: VisitPurpose { .describe }

    /// A describer that reports to `sink`.
    public init(_ sink: Sink) {
        self.sink = sink
    }

    public mutating func field<T: WireInteger>(
        _ name: StaticString,
        _ value: inout T,
        order: ByteOrder,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        sink.field(name, type: T.wireTypeName.description, format())
    }

    public mutating func field<let count: Int>(
        _ name: StaticString,
        _ value: inout InlineArray<count, UInt8>,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        sink.field(name, type: "bytes[\(count)]", format())
    }

    public mutating func field(
        _ name: StaticString,
        _ value: inout [UInt8],
        count: Int,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        sink.field(name, type: "bytes", format())
    }

    public mutating func terminated(_ name: StaticString, _ value: inout [UInt8], limit: Int) throws(WireError) {
        sink.field(name, type: "text", .text)
    }

    public mutating func payload(_ name: StaticString, _ value: inout ByteRange) throws(WireError) {
        sink.field(name, type: "payload", .decimal)
    }

    public mutating func structure<S: WireStructure>(_ name: StaticString, _ value: inout S) throws(WireError) {
        sink.beginGroup(name, isList: false)
        try value.visit(&self)
        sink.endGroup()
    }

    public mutating func list<S: WireStructure>(_ name: StaticString, _ elements: inout [S], count: Int) throws(WireError) {
        sink.beginGroup(name, isList: true)
        var element = S()
        try element.visit(&self)
        sink.endGroup()
    }

    public mutating func list<let count: Int, S: WireStructure>(
        _ name: StaticString,
        _ elements: inout InlineArray<count, S>
    ) throws(WireError) {
        sink.beginGroup(name, isList: true)
        var element = S()
        try element.visit(&self)
        sink.endGroup()
    }

    public mutating func list<S: WireStructure>(_ name: StaticString, _ elements: inout [S]) throws(WireError) {
        try list(name, &elements, count: 1)
    }

    public mutating func list<T: WireInteger>(
        _ name: StaticString,
        _ elements: inout [T],
        count: Int,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        sink.field(name, type: "\(T.wireTypeName)[]", format())
    }
}
