/// Puts the values of a message into a buffer of fixed size. It never writes past the end: a `WireError` says what did not fit.
@frozen
public struct WireWriter: WireVisitor {
    @usableFromInline
    let buffer: UnsafeMutableRawBufferPointer

    @usableFromInline
    var position: Int

    @inlinable
    public var offset: Int { position }

    public var byteOrder: ByteOrder

    @inlinable
    public static var purpose: VisitPurpose { .write }

    /// A writer into `buffer`, from `offset` on. The buffer must outlive the writer.
    @inlinable
    public init(_ buffer: UnsafeMutableRawBufferPointer, offset: Int = 0, byteOrder: ByteOrder = .little) {
        precondition(offset >= 0 && offset <= buffer.count)
        self.buffer = buffer
        position = offset
        self.byteOrder = byteOrder
    }

    @inlinable
    public var remaining: Int { buffer.count - offset }

    @inlinable
    @inline(__always)
    mutating func reserve(_ count: Int, _ name: StaticString) throws(WireError) -> Int {
        guard count <= remaining else { throw full(name, count) }
        let start = offset
        position = start &+ count
        return start
    }

    @inline(never)
    @usableFromInline
    func full(_ name: StaticString, _ needed: Int) -> WireError {
        WireError(.noSpace(needed: needed, available: remaining), field: name, offset: offset)
    }

    @inlinable
    @inline(__always)
    public mutating func field<T: WireInteger>(
        _ name: StaticString,
        _ value: inout T,
        order: ByteOrder,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        let start = try reserve(MemoryLayout<T>.size, name)
        buffer.storeBytes(of: order == .little ? value.littleEndian : value.bigEndian, toByteOffset: start, as: T.self)
    }

    @inlinable
    public mutating func field<let count: Int>(
        _ name: StaticString,
        _ value: inout InlineArray<count, UInt8>,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        let start = try reserve(count, name)
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + count])
        withUnsafeBytes(of: &value) { target.copyMemory(from: $0) }
    }

    @inlinable
    public mutating func field(
        _ name: StaticString,
        _ value: inout [UInt8],
        count: Int,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        try append(value, name)
    }

    @inlinable
    public mutating func terminated(_ name: StaticString, _ value: inout [UInt8], limit: Int) throws(WireError) {
        guard value.count <= limit else {
            throw WireError(.outOfBounds(value: value.count, limit: limit), field: name, offset: offset)
        }
        try append(value, name)
        var terminator: UInt8 = 0
        try field(name, &terminator, order: .little, .padding)
    }

    /// Appends bytes as they are, such as the payload behind a header.
    @inlinable
    public mutating func append(_ bytes: some Collection<UInt8>, _ name: StaticString = "payload") throws(WireError) {
        let start = try reserve(bytes.count, name)
        UnsafeMutableRawBufferPointer(rebasing: buffer[start..<offset]).copyBytes(from: bytes)
    }

    @inlinable
    public mutating func payload(_ name: StaticString, _ value: inout ByteRange) throws(WireError) {}

    @inlinable
    public mutating func structure<S: WireStructure>(_ name: StaticString, _ value: inout S) throws(WireError) {
        try value.visit(&self)
    }

    @inlinable
    public mutating func list<S: WireStructure>(_ name: StaticString, _ elements: inout [S], count: Int) throws(WireError) {
        for index in elements.indices {
            try elements[index].visit(&self)
        }
    }

    @inlinable
    public mutating func list<let count: Int, S: WireStructure>(
        _ name: StaticString,
        _ elements: inout InlineArray<count, S>
    ) throws(WireError) {
        for index in elements.indices {
            try elements[index].visit(&self)
        }
    }

    @inlinable
    public mutating func list<S: WireStructure>(_ name: StaticString, _ elements: inout [S]) throws(WireError) {
        for index in elements.indices {
            try elements[index].visit(&self)
        }
    }

    @inlinable
    public mutating func list<T: WireInteger>(
        _ name: StaticString,
        _ elements: inout [T],
        count: Int,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        for index in elements.indices {
            try field(name, &elements[index], order: byteOrder, format())
        }
    }
}

extension WireStructure {
    /// The message's bytes, followed by `payload`. For tools and tests; engines write into their reusable output buffer.
    public func bytes(
        byteOrder: ByteOrder = .little,
        payload: some Collection<UInt8> = EmptyCollection(),
        limit: Int = 65_536
    ) throws(WireError) -> [UInt8] {
        var copy = self
        var failure: WireError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            var writer = WireWriter(UnsafeMutableRawBufferPointer(buffer), byteOrder: byteOrder)
            do throws(WireError) {
                try copy.visit(&writer)
                try writer.append(payload)
                count = writer.offset
            } catch {
                failure = error
                count = 0
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
