/// Takes the values of a message from bytes. Every access is bounds-checked; a violation is a `WireError` that names field and offset.
@frozen
public struct WireReader: WireVisitor {
    @usableFromInline
    let buffer: UnsafeRawBufferPointer

    @usableFromInline
    var position: Int

    @inlinable
    public var offset: Int { position }

    public var byteOrder: ByteOrder

    @inlinable
    public static var purpose: VisitPurpose { .read }

    /// A reader of `buffer`, from `offset` on. The buffer must outlive the reader.
    @inlinable
    @inline(__always)
    public init(_ buffer: UnsafeRawBufferPointer, offset: Int = 0, byteOrder: ByteOrder = .little) {
        precondition(offset >= 0 && offset <= buffer.count)
        self.buffer = buffer
        position = offset
        self.byteOrder = byteOrder
    }

    @inlinable
    public var remaining: Int { buffer.count - offset }

    /// Takes `count` bytes, or says that they are not there.
    @inlinable
    @inline(__always)
    mutating func take(_ count: Int, _ name: StaticString) throws(WireError) -> Int {
        guard count >= 0, count <= remaining else { throw truncated(name, count) }
        let start = offset
        position = start &+ count
        return start
    }

    @inline(never)
    @usableFromInline
    func truncated(_ name: StaticString, _ needed: Int) -> WireError {
        WireError(.truncated(needed: needed, available: remaining), field: name, offset: offset)
    }

    @inlinable
    @inline(__always)
    public mutating func field<T: WireInteger>(
        _ name: StaticString,
        _ value: inout T,
        order: ByteOrder,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        let start = try take(MemoryLayout<T>.size, name)
        let raw = buffer.loadUnaligned(fromByteOffset: start, as: T.self)
        value = order == .little ? T(littleEndian: raw) : T(bigEndian: raw)
    }

    @inlinable
    @inline(__always)
    public mutating func field<let count: Int>(
        _ name: StaticString,
        _ value: inout InlineArray<count, UInt8>,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        let start = try take(count, name)
        let source = UnsafeRawBufferPointer(rebasing: buffer[start..<start + count])
        withUnsafeMutableBytes(of: &value) { $0.copyMemory(from: source) }
    }

    @inlinable
    public mutating func field(
        _ name: StaticString,
        _ value: inout [UInt8],
        count: Int,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        let start = try take(count, name)
        value.removeAll(keepingCapacity: true)
        value.append(contentsOf: buffer[start..<start + count])
    }

    @inlinable
    public mutating func terminated(_ name: StaticString, _ value: inout [UInt8], limit: Int) throws(WireError) {
        let start = offset
        var end = start
        while end < buffer.count, buffer[end] != 0 { end += 1 }
        guard end < buffer.count else { throw WireError(.unterminated, field: name, offset: start) }
        guard end - start <= limit else {
            throw WireError(.outOfBounds(value: end - start, limit: limit), field: name, offset: start)
        }
        value.removeAll(keepingCapacity: true)
        value.append(contentsOf: buffer[start..<end])
        position = end + 1
    }

    @inlinable
    @inline(__always)
    public mutating func payload(_ name: StaticString, _ value: inout ByteRange) throws(WireError) {
        value = ByteRange(start: offset, count: remaining)
        position = buffer.count
    }

    @inlinable
    @inline(__always)
    public mutating func structure<S: WireStructure>(_ name: StaticString, _ value: inout S) throws(WireError) {
        try value.visit(&self)
    }

    @inlinable
    public mutating func list<S: WireStructure>(_ name: StaticString, _ elements: inout [S], count: Int) throws(WireError) {
        // Every element takes at least one byte, so a count above what is left is wrong before anything is stored.
        guard count >= 0, count <= remaining else { throw truncated(name, count) }
        if !elements.isEmpty { elements.removeAll(keepingCapacity: true) }
        for _ in 0..<count {
            var element = S()
            try element.visit(&self)
            elements.append(element)
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
        elements.removeAll(keepingCapacity: true)
        while remaining > 0 {
            let start = offset
            var element = S()
            try element.visit(&self)
            // A structure that takes no bytes would never reach the end.
            guard offset > start else { throw WireError(.invalidValue(0), field: name, offset: start) }
            elements.append(element)
        }
    }

    @inlinable
    public mutating func list<T: WireInteger>(
        _ name: StaticString,
        _ elements: inout [T],
        count: Int,
        _ format: @autoclosure () -> FieldFormat
    ) throws(WireError) {
        guard count >= 0, count <= remaining / MemoryLayout<T>.size else { throw truncated(name, count) }
        elements.removeAll(keepingCapacity: true)
        for _ in 0..<count {
            var element: T = 0
            try field(name, &element, order: byteOrder, format())
            elements.append(element)
        }
    }
}

extension WireStructure {
    /// Reads a value from the start of `buffer`; bytes behind it are left alone.
    @inlinable
    public init(reading buffer: UnsafeRawBufferPointer, byteOrder: ByteOrder = .little) throws(WireError) {
        self.init()
        var reader = WireReader(buffer, byteOrder: byteOrder)
        try visit(&reader)
    }
}
