/// Walks over the fields of a message in wire order.
///
/// A message describes its layout once, in `WireStructure.visit`; the visitor decides what that means: `WireReader` takes the
/// values from bytes, `WireWriter` puts them there, `WireDissector` reads and reports each field to a sink, `WireDescriber`
/// reports the layout without any bytes. Generic code over a visitor is specialised per visitor, so that reading costs what a
/// hand-written parser costs; `Benchmarks/` notices when that is lost.
public protocol WireVisitor {
    /// Byte order of integer fields that do not name their own.
    var byteOrder: ByteOrder { get set }

    /// Offset of the next field from the start of the buffer.
    var offset: Int { get }

    /// Bytes that are left to read, or free to write.
    var remaining: Int { get }

    /// What the visitor does, for the few layouts in which the presence of a field depends on it.
    static var purpose: VisitPurpose { get }

    /// An integer.
    mutating func field<T: WireInteger>(
        _ name: StaticString,
        _ value: inout T,
        order: ByteOrder,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError)

    /// A byte string of fixed length that is stored in line.
    mutating func field<let count: Int>(
        _ name: StaticString,
        _ value: inout InlineArray<count, UInt8>,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError)

    /// A byte string of `count` bytes; a writer writes all of `value` and ignores `count`.
    mutating func field(_ name: StaticString, _ value: inout [UInt8], count: Int, _ format: @autoclosure () -> FieldFormat)
        throws(WireError)

    /// Text with a terminating NUL, of at most `limit` bytes without it. `value` holds the text without the NUL.
    mutating func terminated(_ name: StaticString, _ value: inout [UInt8], limit: Int) throws(WireError)

    /// Everything up to the end, by position. A writer writes nothing: whoever writes the message appends the payload.
    mutating func payload(_ name: StaticString, _ value: inout ByteRange) throws(WireError)

    /// A structure inside the message.
    mutating func structure<S: WireStructure>(_ name: StaticString, _ value: inout S) throws(WireError)

    /// `count` structures one after the other; a writer writes all of `elements` and ignores `count`.
    mutating func list<S: WireStructure>(_ name: StaticString, _ elements: inout [S], count: Int) throws(WireError)

    /// A fixed number of structures one after the other, stored in line.
    mutating func list<let count: Int, S: WireStructure>(_ name: StaticString, _ elements: inout InlineArray<count, S>) throws(WireError)

    /// Structures one after the other up to the end of the buffer.
    mutating func list<S: WireStructure>(_ name: StaticString, _ elements: inout [S]) throws(WireError)

    /// `count` integers one after the other; a writer writes all of `elements` and ignores `count`.
    mutating func list<T: WireInteger>(_ name: StaticString, _ elements: inout [T], count: Int, _ format: @autoclosure () -> FieldFormat)
        throws(WireError)
}

/// What a visitor does with the fields it is shown.
public enum VisitPurpose: Sendable {
    /// Takes values from bytes.
    case read
    /// Turns values into bytes.
    case write
    /// Tells the layout; every optional part is to be shown once.
    case describe
}

extension WireVisitor {
    /// An integer in the visitor's current byte order.
    @inlinable
    @inline(__always)
    public mutating func field<T: WireInteger>(
        _ name: StaticString,
        _ value: inout T,
        _ format: @autoclosure () -> FieldFormat = .decimal
    ) throws(WireError) {
        try field(name, &value, order: byteOrder, format())
    }

    /// Whether a part of the layout that depends on earlier values is present; a describer sees every part.
    @inlinable
    public func includes(_ condition: Bool) -> Bool {
        Self.purpose == .describe || condition
    }
}

/// A part of a message, or a whole one, whose layout is described once.
public protocol WireStructure: Sendable {
    /// A value whose fields are all zero or empty; readers start from it.
    init()

    /// Shows every field to `visitor`, in wire order.
    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError)
}

/// A whole message of a protocol.
public protocol WireMessage: WireStructure {
    /// The prefix of its fields' names, e.g. `cman` for `cman.sequence`.
    static var protocolName: StaticString { get }
    /// The message's name in listings, e.g. `starttrans`.
    static var messageName: StaticString { get }
}
