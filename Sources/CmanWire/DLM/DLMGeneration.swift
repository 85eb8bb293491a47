/// A generation of the kernel DLM's line protocol over TCP (reference/cman-wire.md 12.2).
public enum DLMGeneration: UInt8, CaseIterable, Hashable, Sendable {
    /// Before 2005-03-29: a header of 12 bytes without a version.
    case unversioned
    /// The same with a version in front, 16 bytes.
    case first
    /// The next generation: a header of another layout, with the sender's node id.
    case second

    /// The TCP port of all of them unless another was configured.
    public static let usualPort: UInt16 = 21064

    /// Its name in listings.
    public var name: StaticString {
        switch self {
        case .unversioned: "dlm-0"
        case .first: "dlm-1"
        case .second: "dlm-2"
        }
    }

    /// What every header of it begins with; nil when it has no version.
    public var version: UInt32? {
        switch self {
        case .unversioned: nil
        case .first: 0x0001_0001
        case .second: 0x0002_0001
        }
    }

    /// Bytes of its header.
    public var headerSize: Int { self == .unversioned ? 12 : 16 }
}
