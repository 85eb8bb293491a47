/// Key material that all members of a cluster share, as it stands in its key file. Its description does not tell it.
public struct SecurityKey: Sendable, Hashable {
    /// Where it comes from, to stand behind "the key": a file's name, or e.g. "of cluster alpha".
    public let name: String
    /// The key. Empty for the first cman on Totem, which passes no key at all (reference/totem-wire.md 2.1).
    public let bytes: [UInt8]
    /// Whether it was read from a key file, of which the daemons demand a length.
    public let isFromFile: Bool

    /// The key `bytes`, called `name`.
    public init(name: String, bytes: [UInt8], isFromFile: Bool = false) {
        self.name = name
        self.bytes = bytes
        self.isFromFile = isFromFile
    }

    /// The key that cman uses without a key file: the cluster's name, ended and filled up with zeros to a multiple of four bytes
    /// (reference/totem-wire.md 2.1; ais.c:542 of cman at 02a34df25).
    public init(clusterName: String) {
        let text = Array(clusterName.utf8)
        let count = (text.count + 4) & 0xFC
        self.init(name: "of cluster \(clusterName)", bytes: Array((text + [0, 0, 0, 0]).prefix(count)))
    }

    /// The key of the first cman on Totem: none at all.
    public static let empty = SecurityKey(name: "of length 0", bytes: [])
}

extension SecurityKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "\(name) (\(bytes.count) bytes)" }

    public var customMirror: Mirror { Mirror(self, children: ["name": name, "count": bytes.count]) }
}
