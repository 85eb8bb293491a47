import Bridging
import CmanNode
import CmanWire
import EngineKit
import WireFormat

/// The legacy side: one `CmanNode` per proxy, and an observer that listens while none is a member.
///
/// - Members are what the lowest proxy that is a member knows; without one, who says HELLO.
/// - A message of a native member reaches every proxy and is reported once. Every proxy holds its acknowledgement until the bridge
///   releases the message; ports 0 to 2 are acknowledged by the engines themselves.
/// - Programs of native members do not say that they listen: every mapped port of interest is probed after each transition and
///   periodically (design section 4).
struct CmanSide: EngineSide {
    let configuration: BridgeEngineConfiguration
    private let seed: UInt64
    private let clusterNumber: UInt16
    /// Ascending by id.
    var proxies: [CmanProxy] = []
    private var admissions: UInt64 = 0
    var observer: CmanObserver
    var received: ReceivedMessages
    var prober: ListenerProber
    /// Native members as reported.
    var natives: [UInt32: SideMember] = [:]
    /// Former proxies: members go on listing them until they have heard that they left, and a last datagram may come round.
    private var former: [UInt32: Instant] = [:]
    /// When a native member's HELLO last told of the cluster that the proxies are in.
    private var lastAgreement: Instant?
    var deadEnds = DeadEnds()
    /// How members went, as the proxies' engines said it, until it is reported.
    var departures: [UInt32: Departure] = [:]
    /// Whether members or the state of proxies may differ from what was reported.
    var isStale = false
    var wasOperational = false
    private var lastQuorum: CmanQuorum?
    var reports: [SideReport] = []
    var refusedPackets: UInt64 = 0
    /// Whether a refused packet is to be told: of a packet that all proxies get, only once.
    var tellsRefusals = true
    var engineEffects = CmanEffects()

    /// How long datagrams of a proxy that is gone may still come round over the group address.
    private static let echoes = Interval.seconds(2)

    init(configuration: BridgeEngineConfiguration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
        clusterNumber = cmanClusterNumber(configuration.clusterName.utf8)
        observer = CmanObserver(
            addresses: Dictionary(configuration.nodes.map { ($0.id, $0.cmanAddresses) }, uniquingKeysWith: { first, _ in first }),
            timers: configuration.cman.timers
        )
        received = ReceivedMessages(restoring: configuration.reliableSequences)
        prober = ListenerProber(ports: Set(configuration.ports.entries.keys))
    }

    /// The proxy whose word counts: the lowest member, of the leading cluster where they are in different ones.
    var authority: Int? {
        if let leader = deadEnds.leader, let index = proxies.firstIndex(where: { $0.id == leader && $0.isMember }) { return index }
        return proxies.firstIndex { $0.isMember }
    }

    func index(of node: UInt32) -> Int? { proxies.firstIndex { $0.id == node } }

    mutating func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        interface: Int,
        proxy: UInt32?,
        at now: Instant,
        into effects: inout BridgeEffects
    ) {
        let arrival = Arrival(interface: interface, viaGroup: proxy == nil)
        if let proxy {
            guard let index = index(of: proxy) else { return }
            run(index, at: now, into: &effects) { $0.receive(datagram, from: source, arrival: arrival, at: now, into: &$1) }
        } else {
            if !proxies.contains(where: { $0.addresses.contains(source) }) {
                inspect(datagram, from: source, at: now, into: &effects)
            }
            let isMisleading = leadsIntoDeadEnd(datagram, at: now)
            for index in proxies.indices where !proxies[index].addresses.contains(source) {
                if isMisleading, !proxies[index].isMember { continue }
                run(index, at: now, into: &effects) { $0.receive(datagram, from: source, arrival: arrival, at: now, into: &$1) }
                tellsRefusals = false
            }
            tellsRefusals = true
        }
        removeEndedProxies(at: now)
        reportChanges(at: now)
    }

    /// Looks at messages of foreign hosts before the engines do: who there is, and what has no place on the other side.
    private mutating func inspect(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        at now: Instant,
        into effects: inout BridgeEffects
    ) {
        switch CmanPacket(shapeOf: datagram).body {
        case .hello, .leave, .nodeDown, .kill, .barrier, .serviceManager: break
        default: return
        }
        // What cannot be read is refused, and counted, by the engines.
        guard let packet = try? CmanPacket(reading: datagram), packet.header.cluster == clusterNumber,
            let sender = UInt32(exactly: packet.header.sourceID), sender != 0
        else { return }
        guard let addresses = observer.addresses[sender] else {
            reports.append(.refused(.unknownNode, node: sender))
            return
        }
        guard addresses.contains(source) else { return }
        if let end = former[sender] {
            if now < end + Self.echoes { return }
            // Its own host speaks again.
            former[sender] = nil
            isStale = true
        }
        switch packet.body {
        case .kill: noteKill(packet.header, by: sender)
        case .barrier(let message): noteBarrier(message, of: sender)
        case .serviceManager(let message) where message.kind == .joinRequest:
            // The proxies' engines answer NEG.
            if natives[sender] != nil { reports.append(.refused(.serviceGroup, node: sender)) }
        default:
            if observer.receive(packet.body, from: sender, at: now) { isStale = true }
            if case .hello(let hello) = packet.body { compareViews(hello, of: sender, at: now, into: &effects) }
        }
    }

    /// Members that hold the proxies for dead, and are too few to be quorate, tell nobody, and go on as if they were alone; the proxies
    /// go on too (reference/cman-wire.md 5.12). There is no way back but to leave and to join again.
    private mutating func compareViews(_ hello: CmanHello, of sender: UInt32, at now: Instant, into effects: inout BridgeEffects) {
        guard let authority else {
            lastAgreement = nil
            return
        }
        guard natives[sender] != nil else {
            hearOutsider(hello, at: now, into: &effects)
            return
        }
        let members = proxies[authority].node.members.count { $0.state == .member }
        guard Int(hello.members) != members || hello.generation != proxies[authority].node.generation, let lastAgreement else {
            lastAgreement = now
            return
        }
        guard now - lastAgreement > longestDisagreement else { return }
        self.lastAgreement = nil
        abandon(Array(proxies.indices), at: now, into: &effects)
    }

    /// A barrier of programs never completes here: the members behind proxies cannot take part.
    private mutating func noteBarrier(_ message: CmanBarrierMessage, of sender: UInt32) {
        guard natives[sender] != nil, message.phase == CmanBarrierPhase.wait.rawValue,
            !message.name.starts(with: "TRANSITION.".utf8)
        else { return }
        reports.append(.refused(.barrier, node: sender))
    }

    /// An administrator's KILL is acknowledged traffic outside a transition. Members also send KILL to whom they have not heard of for
    /// too long, without wanting an acknowledgement, and to whom a view vote went against, in a transition (reference/cman-wire.md
    /// 4.5): that is about the proxy, not about the node behind it.
    private mutating func noteKill(_ header: CmanHeader, by killer: UInt32) {
        guard !header.flags.contains(.noAck), natives[killer] != nil, let target = UInt32(exactly: header.targetID),
            let index = index(of: target), !proxies[index].node.isInTransition
        else { return }
        proxies[index].killer = killer
    }

    mutating func advance(to now: Instant, into effects: inout BridgeEffects) {
        if observer.advance(to: now) { isStale = true }
        for index in proxies.indices where proxies[index].node.nextDeadline.map({ $0 <= now }) ?? false {
            run(index, at: now, into: &effects) { $0.advance(to: now, into: &$1) }
        }
        leaveDeadEnds(at: now, into: &effects)
        probeListeners(at: now, into: &effects)
        removeEndedProxies(at: now)
        reportChanges(at: now)
    }

    var nextDeadline: Instant? {
        var earliest = observer.nextDeadline
        if let deadEnd = deadEndDeadline { earliest = earliest.map { min($0, deadEnd) } ?? deadEnd }
        if authority != nil, let probe = prober.nextDeadline { earliest = earliest.map { min($0, probe) } ?? probe }
        for proxy in proxies {
            guard let deadline = proxy.node.nextDeadline else { continue }
            earliest = earliest.map { min($0, deadline) } ?? deadline
        }
        return earliest
    }

    /// A new proxy asks to join.
    mutating func admit(_ identity: ProxyIdentity, at now: Instant, into effects: inout BridgeEffects) {
        guard index(of: identity.id) == nil, let node = configuration.nodes.first(where: { $0.id == identity.id }) else { return }
        var engineConfiguration = CmanConfiguration(
            clusterName: configuration.clusterName,
            nodeName: identity.name,
            addresses: node.cmanAddresses
        )
        engineConfiguration.wantedNodeID = identity.id
        engineConfiguration.votes = UInt8(clamping: identity.votes)
        engineConfiguration.expectedVotes = configuration.expectedVotes
        engineConfiguration.configVersion = configuration.cman.configVersion
        engineConfiguration.twoNode = configuration.cman.twoNode
        engineConfiguration.obeysStrangers = configuration.cman.obeysStrangers
        engineConfiguration.mayFormCluster = false
        engineConfiguration.timers = configuration.cman.timers
        engineConfiguration.listeningPorts = identity.openPorts
        engineConfiguration.heldPorts = configuration.ports.ports
        // Every life of a proxy draws other numbers.
        admissions += 1
        var engine = CmanNode(
            configuration: engineConfiguration,
            seed: seed ^ (UInt64(identity.id) << 32) ^ admissions &* 0x9E37_79B9_7F4A_7C15
        )
        // A sender may have counted on, or anew, since this process began: only what is still the last word of the earlier one helps.
        engine.restoreLastReliableSequences(received.restored)
        // An engine listens on every port that it holds; here nobody does until the other side says so.
        for port in engineConfiguration.heldPorts.subtracting(identity.openPorts) {
            engine.closePort(port, at: now, into: &engineEffects)
        }
        former[identity.id] = nil
        let position = proxies.firstIndex { $0.id > identity.id } ?? proxies.endIndex
        isStale = true
        proxies.insert(CmanProxy(identity: identity, addresses: node.cmanAddresses, node: engine), at: position)
        prober.add(identity.openPorts)
        reports.append(.proxy(identity.id, .joining))
        run(position, at: now, into: &effects) { $0.join(at: now, into: &$1) }
    }

    mutating func call(_ index: Int, _ body: (inout CmanNode, inout CmanEffects) -> Void) {
        body(&proxies[index].node, &engineEffects)
    }

    func destination(_ destination: CmanDestination, of index: Int) -> BridgeDestination {
        .cman(proxy: proxies[index].id, to: destination)
    }

    /// Asks native members what their programs listen to.
    private mutating func probeListeners(at now: Instant, into effects: inout BridgeEffects) {
        guard let authority else { return }
        for probe in prober.takeDue(natives: natives.keys, at: now) {
            run(authority, at: now, into: &effects) { $0.probeListener(node: probe.node, port: probe.port, at: now, into: &$1) }
        }
    }

    /// Forgets proxies whose engines have ended.
    mutating func removeEndedProxies(at now: Instant) {
        guard proxies.contains(where: { $0.end != nil }) else { return }
        for proxy in proxies {
            guard let reason = proxy.end else { continue }
            if reason == .killed, let killer = proxy.killer { reports.append(.killed(proxy: proxy.id, by: killer)) }
            let loss: ProxyLoss =
                if proxy.isLeaving {
                    .withdrawn
                } else if !proxy.isMember {
                    .joinFailed("\(reason)")
                } else if reason == .killed {
                    .killed
                } else {
                    .expelled("\(reason)")
                }
            reports.append(.proxy(proxy.id, .gone(loss)))
        }
        removeProxies(at: now) { $0.end != nil }
    }

    mutating func removeProxies(at now: Instant, where isUnwanted: (CmanProxy) -> Bool) {
        for proxy in proxies where isUnwanted(proxy) { former[proxy.id] = now }
        proxies.removeAll(where: isUnwanted)
        isStale = true
        if proxies.allSatisfy({ !$0.isMember }) { prober.forgetPending() }
    }

    /// Reports what is different now.
    mutating func reportChanges(at now: Instant) {
        guard isStale else { return }
        isStale = false
        compareProxies(at: now)
        reportMembers()
        reportQuorum()
        let isOperational = authority.map { !proxies[$0].node.isInTransition } ?? false
        if isOperational != wasOperational {
            wasOperational = isOperational
            reports.append(.operational(isOperational))
        }
    }

    /// Compares: the proxy whose word counts may be another one since its quorum changed.
    private mutating func reportQuorum() {
        guard let authority, proxies[authority].node.quorum != lastQuorum else { return }
        let quorum = proxies[authority].node.quorum
        lastQuorum = quorum
        reports.append(
            .quorum(
                SideQuorum(
                    quorum: quorum.quorum,
                    totalVotes: quorum.totalVotes,
                    expectedVotes: quorum.expectedVotes,
                    isQuorate: quorum.isQuorate
                )
            )
        )
    }

    /// Compares the members that are known now with those that were reported.
    mutating func reportMembers() {
        let now = presentMembers()
        for id in natives.keys.sorted() where now[id] == nil {
            natives[id] = nil
            received.forget(id, keepRestored: false)
            prober.forget(id)
            reports.append(.memberDown(id, departures[id] ?? observer.departures[id] ?? .died))
        }
        for id in now.keys.sorted() {
            guard let member = now[id] else { continue }
            if let known = natives[id] {
                guard known != member else { continue }
                reports.append(.memberChanged(member))
            } else {
                received.forget(id, keepRestored: true)
                reports.append(.memberUp(member))
            }
            natives[id] = member
        }
        departures.removeAll(keepingCapacity: true)
    }

    private mutating func presentMembers() -> [UInt32: SideMember] {
        var present: [UInt32: SideMember] = [:]
        if let authority {
            for member in proxies[authority].node.members where index(of: member.id) == nil {
                guard member.state == .member else {
                    former[member.id] = nil
                    continue
                }
                guard former[member.id] == nil else { continue }
                present[member.id] = SideMember(id: member.id, name: member.name, votes: UInt32(member.votes))
            }
        } else {
            // What proxies knew of votes and names stays true.
            for id in observer.members where index(of: id) == nil { present[id] = natives[id] ?? SideMember(id: id) }
        }
        return present
    }
}
