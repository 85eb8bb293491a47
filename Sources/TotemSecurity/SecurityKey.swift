/// Key material that all members of a cluster share, as it stands in its key file.
public struct SecurityKey: Sendable, Hashable {
    /// Where it comes from, for people: a file's name, or what it was derived from.
    public let name: String
    /// The key. Empty for the first cman on Totem, which passes no key at all (reference/totem-wire.md 2.1).
    public let bytes: [UInt8]

    /// The key `bytes`, called `name`.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}
