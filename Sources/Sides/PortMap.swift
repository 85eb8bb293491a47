/// Which CPG group stands for which cman port, and how payloads travel in it (design section 4).
public struct PortMap: Sendable, Hashable {
    /// How a payload travels in a group.
    public enum Mapping: String, Sendable, Hashable, CaseIterable {
        /// As it is: broadcast only, for programs that use CPG already.
        case raw
        /// Behind the 16-byte header of cman on Totem, little-endian: source, target and ports survive.
        case cman
    }

    /// The group of one port.
    public struct Entry: Sendable, Hashable {
        /// Name of the group.
        public var group: String
        /// How payloads travel in it.
        public var mapping: Mapping

        /// Group `group`.
        public init(group: String, mapping: Mapping) {
            self.group = group
            self.mapping = mapping
        }
    }

    /// Ports 0, 1 and 2 belong to the legacy protocol itself (reference/cman-wire.md 3, 4, 8) and are never mapped.
    public static let mappablePorts: ClosedRange<UInt8> = 3...255

    /// Ports with an entry of their own.
    public let entries: [UInt8: Entry]
    /// Whether a port without an entry is carried in group `cman.<port>`.
    public let mapsOtherPorts: Bool
    private let portsByGroup: [String: UInt8]

    /// A map with `entries`; those for ports that cannot be mapped are left out.
    public init(entries: [UInt8: Entry] = [:], mapsOtherPorts: Bool = true) {
        self.entries = entries.filter { Self.mappablePorts.contains($0.key) }
        self.mapsOtherPorts = mapsOtherPorts
        // Two ports in one group: the lower one owns it.
        portsByGroup = Dictionary(self.entries.map { ($0.value.group, $0.key) }, uniquingKeysWith: min)
    }

    /// Every port that is carried across.
    public var ports: Set<UInt8> { mapsOtherPorts ? Set(Self.mappablePorts) : Set(entries.keys) }

    /// The group that stands for `port`; nil when it is not carried across.
    public func entry(for port: UInt8) -> Entry? {
        if let entry = entries[port] { return entry }
        guard mapsOtherPorts, Self.mappablePorts.contains(port) else { return nil }
        return Entry(group: "\(Self.defaultPrefix)\(port)", mapping: .cman)
    }

    /// The port that `group` stands for; nil when it stands for none.
    public func port(for group: String) -> UInt8? {
        if let port = portsByGroup[group] { return port }
        guard mapsOtherPorts, group.hasPrefix(Self.defaultPrefix), let port = UInt8(group.dropFirst(Self.defaultPrefix.count)),
            Self.mappablePorts.contains(port), entries[port] == nil, group == "\(Self.defaultPrefix)\(port)"
        else { return nil }
        return port
    }

    private static let defaultPrefix = "cman."
}
