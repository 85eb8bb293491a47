/// What the bridge asks of a side.
public enum SideOrder: Sendable, Hashable {
    /// Run a proxy. Its address is held. Answered by `ProxyReport`s.
    case admit(ProxyIdentity)
    /// Let a proxy leave; the side has a few seconds. Answered by `gone(.withdrawn)`.
    case withdraw(UInt32, Departure)
    /// Stop a proxy at once, in silence. Answered by `gone(.withdrawn)`.
    case drop(UInt32)
    /// Send a message in a proxy's name: answered by `ordered` or `sendFailed`. Messages of one proxy go out in the order given.
    case send(SideMessage, SendTag)
    /// Acknowledge a reported message.
    case acknowledge(Receipt)
    /// A program of the node behind a proxy listens on a port.
    case openPort(UInt8, proxy: UInt32)
    /// No program of the node behind a proxy listens on a port any more.
    case closePort(UInt8, proxy: UInt32)
    /// Kill a native member, in the name of the proxy `by` if that is a member.
    case kill(UInt32, by: UInt32)
    /// The votes of the node behind a proxy have changed.
    case setVotes(UInt32, proxy: UInt32)
    /// The expected votes of the cluster have changed, at the word of the node behind a proxy.
    case setExpectedVotes(UInt32, proxy: UInt32)
}

/// As whom a proxy joins.
public struct ProxyIdentity: Sendable, Hashable {
    /// Node id.
    public var id: UInt32
    /// Node name.
    public var name: String
    /// Votes.
    public var votes: UInt32
    /// Ports on which programs of the node listen already.
    public var openPorts: Set<UInt8>

    /// An identity with all its values.
    public init(id: UInt32, name: String, votes: UInt32, openPorts: Set<UInt8> = []) {
        self.id = id
        self.name = name
        self.votes = votes
        self.openPorts = openPorts
    }
}
