/// A generation of the wire protocol (reference/cman-wire.md 12.1).
///
/// 2a and 2b call themselves by the same version number and are incompatible all the same. From 3 on the header is the same; few
/// messages differ.
public enum CmanGeneration: UInt8, CaseIterable, Hashable, Comparable, Sendable {
    /// 2004-06-24 to 2004-08-24, version 2.0.1: header of 16 bytes, acknowledgements only in messages of their own.
    case cman2a
    /// 2004-08-24 to 2004-10-19, also version 2.0.1: header of 16 bytes that can carry an acknowledgement.
    case cman2b
    /// 2004-10-19 to 2004-12-01, version 3.0.1: header of 20 bytes.
    case cman3
    /// 2004-12-01 to 2005-01-24, version 4.0.1: STARTACK became shorter.
    case cman4
    /// From 2005-01-24, version 5.0.1: with NODEDOWN.
    case cman5

    /// Its name in listings.
    public var name: StaticString {
        switch self {
        case .cman2a: "cman-2a"
        case .cman2b: "cman-2b"
        case .cman3: "cman-3"
        case .cman4: "cman-4"
        case .cman5: "cman-5"
        }
    }

    /// The major version that its JOINREQ names.
    public var majorVersion: UInt32 {
        switch self {
        case .cman2a, .cman2b: 2
        case .cman3: 3
        case .cman4: 4
        case .cman5: 5
        }
    }

    /// Whether its header is the one of 16 bytes.
    @inlinable
    public var hasShortHeader: Bool { self <= .cman2b }

    /// Bytes of its header.
    @inlinable
    public var headerSize: Int { hasShortHeader ? CmanHeader.shortSize : CmanHeader.size }

    @inlinable
    public static func < (left: CmanGeneration, right: CmanGeneration) -> Bool { left.rawValue < right.rawValue }
}
