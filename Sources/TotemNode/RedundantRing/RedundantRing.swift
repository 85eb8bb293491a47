import EngineKit
import TotemWire
import WireFormat

/// The redundant ring protocol of openais 0.80 and corosync 1 and 2 (reference/totem-wire.md 1.4; totemrrp.c of each): it stands between
/// one processor and its networks, decides over which of them a packet goes, which of the copies that come in the processor sees,
/// and which networks are faulty.
///
/// Packets are plain here; security envelopes are put on and taken off between this and the network. Whoever runs a processor asks
/// `interfaces(for:)` for everything that the processor sends, hands everything that comes in to `receive` first, the packets that
/// pass up to the processor, and then calls `monitor`: daemons look for faults when the processor is done with a packet
/// (totemrrp.c:1071, 1178@ne), so that what it sends in answer still goes over a network that is about to be called faulty.
///
/// Where the daemons' code does harm and nobody on the wire can tell, this does without: the test of a network is never started twice
/// (totemrrp.c:1456@fl starts one for every expired token); the problem counters go on being decremented after a fault
/// (totemrrp.c:1074@wt forgets how); a processor with two faulty networks goes on sending (totemrrp.c:612, 1115@wt do not). Passive
/// replication in the daemons would hold back a token while messages are missing, but what it asks always answers that none is
/// (main_msgs_missing totemsrp.c:656@wt, 707@fl, 766@ne), so a token is never held back there, nor here.
public struct RedundantRing<Dialect: TotemDialect>: Sendable {
    /// What its methods write their effects into.
    public typealias Output = Effects<RingDestination, RedundantRingEvent>

    /// What is known of one network.
    struct Network: Sendable {
        var isFaulty = false
        /// Tokens and multicasts that came over it, own multicasts included, since faults were forgotten (passive).
        var tokensReceived: UInt64 = 0
        var multicastsReceived: UInt64 = 0
        /// Whether the last token has come over it (active).
        var hasLastToken = false
        /// Tokens that it missed lately (active).
        var problemCount = 0

        mutating func received(_ isToken: Bool) {
            if isToken { tokensReceived += 1 } else { multicastsReceived += 1 }
        }

        func count(ofTokens: Bool) -> UInt64 { ofTokens ? tokensReceived : multicastsReceived }
    }

    enum Timer: Int, CaseIterable, Sendable {
        case tokenExpired, problemDecrement, testOfFirst, testOfSecond

        static func test(of interface: Int) -> Timer { interface == 0 ? .testOfFirst : .testOfSecond }
    }

    /// What it was told.
    public let configuration: RedundantRingConfiguration

    var networks: [Network]
    var deadlines = Deadlines<Timer>()
    /// The network that the last token, and the last multicast, went over (passive).
    var lastTokenInterface = 0
    var lastMulticastInterface = 0
    /// Who gets this processor's tokens, and so its ring tests; nil before the first ring.
    var tokenTarget: UInt32?
    var token = WaitingToken()
    /// Tokens are read into memory that is used again.
    var scratch = OrfToken<Dialect>()

    /// The last token of active replication, which may still wait for its copies.
    struct WaitingToken: Sendable {
        var ring = Dialect.Ring()
        var sequence: UInt32 = 0
        var bytes: [UInt8] = []
        var source = Endpoint(IPAddress(ipv4: 0), 0)
        var interface = 0
    }

    /// The protocol with all networks in order.
    public init(configuration: RedundantRingConfiguration) {
        self.configuration = configuration
        networks = Array(repeating: Network(), count: min(max(configuration.interfaceCount, 1), RedundantRingConfiguration.interfaceLimit))
        token.bytes.reserveCapacity(Dialect.tokenSizeLimit)
    }

    /// How many networks there are.
    public var interfaceCount: Int { networks.count }

    /// Whether network `interface` is faulty.
    public func isFaulty(_ interface: Int) -> Bool { networks.indices.contains(interface) && networks[interface].isFaulty }

    /// The problem counter of network `interface`; active replication only.
    public func problemCount(of interface: Int) -> Int { networks.indices.contains(interface) ? networks[interface].problemCount : 0 }

    /// When `advance` must be called next; nil while no timer runs.
    public var nextDeadline: Instant? { deadlines.next }

    /// Over which networks a packet goes that the processor sends to `destination`.
    public mutating func interfaces(for destination: TotemDestination, at now: Instant, into effects: inout Output) -> RingInterfaces {
        if case .node(let node) = destination { tokenTarget = node }
        switch configuration.mode {
        case .none:
            return RingInterfaces(0)
        case .active:
            return workingInterfaces
        case .passive:
            if case .node = destination { return RingInterfaces(nextTokenInterface()) }
            let interface = nextMulticastInterface()
            // A processor hears its own multicasts over the network that they went over.
            networks[interface].received(false)
            findFaults(at: now, into: &effects)
            return RingInterfaces(interface)
        }
    }

    /// Takes a datagram that came over network `interface`, and says whether the processor takes it now.
    public mutating func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        over interface: Int,
        at now: Instant,
        into effects: inout Output
    ) -> RingReception {
        guard networks.indices.contains(interface) else { return RingReception(passesUp: true, counted: nil) }
        if configuration.autorecoveryCheck != nil, let (kind, byteOrder) = RingTest.identify(datagram) {
            receive(kind, byteOrder, datagram, from: source, over: interface, into: &effects)
            return RingReception(passesUp: false, counted: nil)
        }
        guard configuration.mode != .none, let (kind, byteOrder) = try? TotemPacket<Dialect>.identify(datagram) else {
            return RingReception(passesUp: true, counted: nil)
        }
        switch configuration.mode {
        case .none:
            return RingReception(passesUp: true, counted: nil)
        case .passive:
            return RingReception(passesUp: true, counted: RingReception.Counted(interface: interface, isToken: kind == .token))
        case .active:
            guard kind == .token, readToken(datagram, byteOrder) else { return RingReception(passesUp: true, counted: nil) }
            return RingReception(passesUp: receiveToken(datagram, from: source, over: interface, at: now), counted: nil)
        }
    }

    /// Looks for faults, after the processor has taken a datagram.
    public mutating func monitor(_ reception: RingReception, at now: Instant, into effects: inout Output) {
        monitor(CollectionOfOne(reception), at: now, into: &effects)
    }

    /// The same for datagrams that were read together: what waited on one network is read before what waited on the other, and that must
    /// not look like a fault. The daemons do not see to that.
    public mutating func monitor(_ receptions: some Collection<RingReception>, at now: Instant, into effects: inout Output) {
        for reception in receptions {
            if let counted = reception.counted { networks[counted.interface].received(counted.isToken) }
        }
        findFaults(at: now, into: &effects)
    }

    /// Tells who the members of a new regular configuration are: a processor that is alone passes ring tests to itself.
    public mutating func membersChanged(to members: [UInt32]) {
        if members == [configuration.nodeID] { tokenTarget = configuration.nodeID }
    }

    /// Lets every timer that is due at `now` expire, in order.
    public mutating func advance(to now: Instant, into effects: inout Output) {
        while let timer = deadlines.takeDue(at: now) {
            switch timer {
            case .tokenExpired: tokenExpired(at: now, into: &effects)
            case .problemDecrement: forgetProblems(at: now, into: &effects)
            case .testOfFirst: test(0, at: now, into: &effects)
            case .testOfSecond: test(1, at: now, into: &effects)
            }
        }
    }

    /// Networks that are not faulty; the first one when all are, because somebody may still hear it (totemrrp.c:1640@ne).
    var workingInterfaces: RingInterfaces {
        var working: RingInterfaces = []
        for interface in networks.indices where !networks[interface].isFaulty { working.insert(RingInterfaces(interface)) }
        return working.isEmpty ? RingInterfaces(0) : working
    }
}
