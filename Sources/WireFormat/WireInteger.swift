/// An integer that can be a field.
public protocol WireInteger: FixedWidthInteger & BitwiseCopyable & Sendable {
    /// Its name in field lists: `u8`, `i32`, ...
    static var wireTypeName: StaticString { get }
}

extension UInt8: WireInteger {
    public static var wireTypeName: StaticString { "u8" }
}
extension Int8: WireInteger {
    public static var wireTypeName: StaticString { "i8" }
}
extension UInt16: WireInteger {
    public static var wireTypeName: StaticString { "u16" }
}
extension Int16: WireInteger {
    public static var wireTypeName: StaticString { "i16" }
}
extension UInt32: WireInteger {
    public static var wireTypeName: StaticString { "u32" }
}
extension Int32: WireInteger {
    public static var wireTypeName: StaticString { "i32" }
}
extension UInt64: WireInteger {
    public static var wireTypeName: StaticString { "u64" }
}
extension Int64: WireInteger {
    public static var wireTypeName: StaticString { "i64" }
}
