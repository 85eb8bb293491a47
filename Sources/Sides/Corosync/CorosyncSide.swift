import Bridging
import ClusterServices
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// The Totem side: one `ClusterProcessor` per proxy.
///
/// - Members are those of the rings that proxies are on. Without a proxy nothing is seen of the side (with `udpu` nothing even
///   arrives): then its members count as unobserved, and the bridge needs no proxies for them until one is seen again.
/// - A message of a native member is reported when the first processor delivers it; `OrderedStream` recognises it in the others.
/// - A message of a proxy is ordered when the proxy's own processor delivers it to itself.
/// - Each proxy has one process, which joins the group of a port when a program of its node listens there or sends to it.
struct CorosyncSide: EngineSide {
    /// The process id of every proxy's process; the same in each of its lives.
    static let processID: UInt32 = 6809

    let configuration: BridgeEngineConfiguration
    private let seed: UInt64
    private var admissions: UInt64 = 0
    /// Ascending by id.
    var proxies: [CorosyncProxy] = []
    var reported = ReportedMessages()
    /// Native members as reported.
    var natives: [UInt32: SideMember] = [:]
    /// Native members that said that they leave.
    var leaving: Set<UInt32> = []
    /// Native members whose last witness among the proxies was withdrawn, and how long others may take to find them.
    private var unwitnessed: [UInt32: Instant] = [:]
    /// Former proxies that other proxies' rings still list.
    private var former: Set<UInt32> = []
    /// Ports whose groups have changed since listeners were reported.
    var changedPorts: Set<UInt8> = []
    /// Native listeners as reported.
    var listeners: [UInt8: Set<UInt32>] = [:]
    /// Whether members, quorum, groups or the state of proxies may differ from what was reported.
    var isStale = false
    private var lastAuthority: UInt32?
    private var wasOperational = false
    private var lastQuorum: VoteQuorum?
    /// What the proxies store, so that a proxy's next life begins where the last one ended.
    var ringSequences: [UInt32: UInt64]
    var reports: [SideReport] = []
    var refusedPackets: UInt64 = 0
    /// Whether a refused packet is to be told: of a packet that all proxies get, only once.
    var tellsRefusals = true
    var engineEffects = ProcessorEffects()
    /// Reused for every message that gets a header.
    var scratch = [UInt8](repeating: 0, count: CmanOnTotemHeader.byteCount + BridgeEngine.largestPayload)

    init(configuration: BridgeEngineConfiguration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
        ringSequences = configuration.corosync.storedRingSequences
    }

    func index(of node: UInt32) -> Int? { proxies.firstIndex { $0.id == node } }

    /// Members of the ring of proxy `node`; nil while it changes.
    func ringMembers(of node: UInt32) -> [UInt32]? {
        guard let index = index(of: node), proxies[index].processor.state == .operational else { return nil }
        return proxies[index].processor.members
    }

    /// The proxy whose word counts: of those whose services are synchronised, the lowest on the largest ring.
    var authority: Int? {
        var best: Int?
        for index in proxies.indices where proxies[index].isReady {
            if let current = best, proxies[current].processor.members.count >= proxies[index].processor.members.count { continue }
            best = index
        }
        return best
    }

    mutating func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        interface: Int,
        proxy: UInt32?,
        at now: Instant,
        into effects: inout BridgeEffects
    ) {
        noteLeave(datagram)
        let arrival = Arrival(interface: interface, viaGroup: proxy == nil)
        for index in proxies.indices where proxies[index].address != source.address && (proxy == nil || proxies[index].id == proxy) {
            run(index, at: now, into: &effects) { $0.receive(datagram, from: source, arrival: arrival, at: now, into: &$1) }
            sendPending(index, at: now, into: &effects)
            tellsRefusals = false
        }
        tellsRefusals = true
        reportChanges(at: now)
    }

    mutating func advance(to now: Instant, into effects: inout BridgeEffects) {
        for index in proxies.indices where proxies[index].processor.nextDeadline.map({ $0 <= now }) ?? false {
            run(index, at: now, into: &effects) { $0.advance(to: now, into: &$1) }
            sendPending(index, at: now, into: &effects)
        }
        reportChanges(at: now)
    }

    var nextDeadline: Instant? {
        var earliest = unwitnessed.values.min()
        for proxy in proxies {
            guard let deadline = proxy.processor.nextDeadline else { continue }
            earliest = earliest.map { min($0, deadline) } ?? deadline
        }
        return earliest
    }

    /// A LEAVE tells an orderly departure from a death; the ring itself sees only that the member is gone.
    private mutating func noteLeave(_ datagram: UnsafeRawBufferPointer) {
        // What cannot be read is refused, and counted, by the engines.
        guard let (kind, byteOrder) = try? TotemPacket<Corosync3>.identify(datagram), kind == .join,
            let join = try? MemberJoin<Corosync3>(reading: datagram, byteOrder: byteOrder), join.isLeave,
            natives[join.systemFrom.nodeID] != nil
        else { return }
        leaving.insert(join.systemFrom.nodeID)
    }

    /// A new proxy asks to join.
    mutating func admit(_ identity: ProxyIdentity, at now: Instant, into effects: inout BridgeEffects) {
        guard index(of: identity.id) == nil, let node = configuration.nodes.first(where: { $0.id == identity.id }) else { return }
        let settings = configuration.corosync
        var engineConfiguration = ProcessorConfiguration(nodeID: identity.id, nodes: configuration.nodes.map(\.id).sorted())
        engineConfiguration.totem.timers = settings.timers
        engineConfiguration.totem.networkMTU = settings.networkMTU
        engineConfiguration.totem.storedRingSequence = ringSequences[identity.id] ?? 0
        engineConfiguration.configurationVersion = settings.configurationVersion
        engineConfiguration.reportsUnheardMessages = true
        var quorum = VoteQuorumConfiguration(votes: identity.votes, expectedVotes: settings.expectedVotes ?? configuration.expectedVotes)
        quorum.twoNode = settings.twoNode
        quorum.waitForAll = settings.waitForAll
        engineConfiguration.quorum = quorum
        // Every life of a proxy draws other numbers.
        admissions += 1
        let processor = ClusterProcessor<Corosync3>(
            configuration: engineConfiguration,
            seed: seed ^ (UInt64(identity.id) << 32) ^ admissions &* 0x9E37_79B9_7F4A_7C15
        )
        let position = proxies.firstIndex { $0.id > identity.id } ?? proxies.endIndex
        isStale = true
        proxies.insert(CorosyncProxy(identity: identity, address: node.totemAddress, processor: processor), at: position)
        reports.append(.proxy(identity.id, .joining))
        run(position, at: now, into: &effects) { $0.start(at: now, into: &$1) }
        for port in identity.openPorts.sorted() { join(port, position, at: now, into: &effects) }
    }

    mutating func call(_ index: Int, _ body: (inout ClusterProcessor<Corosync3>, inout ProcessorEffects) -> Void) {
        body(&proxies[index].processor, &engineEffects)
    }

    func destination(_ destination: TotemDestination, of index: Int) -> BridgeDestination {
        .corosync(proxy: proxies[index].id, to: destination)
    }

    // MARK: What is compared after every input

    /// Reports what is different now.
    mutating func reportChanges(at now: Instant) {
        if let end = unwitnessed.values.min(), end <= now { isStale = true }
        guard isStale else { return }
        isStale = false
        removeProxies(at: now) { $0.end != nil }
        reportMembers(at: now)
        let authority = authority
        if let authority {
            reportQuorum(proxies[authority].processor.quorum)
            // While the others look for a new ring, a proxy that begins alone is the only one that is synchronised, and knows nobody.
            if isOperational { reportListeners(of: authority) }
        }
        let isOperational = isOperational
        if isOperational != wasOperational {
            wasOperational = isOperational
            reports.append(.operational(isOperational))
        }
    }

    mutating func removeProxies(at now: Instant, where isUnwanted: (CorosyncProxy) -> Bool) {
        guard proxies.contains(where: isUnwanted) else { return }
        let witnessed = witnessed
        for proxy in proxies where isUnwanted(proxy) {
            reports.append(.proxy(proxy.id, .gone(proxy.end ?? .withdrawn)))
            former.insert(proxy.id)
        }
        proxies.removeAll(where: isUnwanted)
        isStale = true
        let timers = configuration.corosync.timers
        for id in witnessed.subtracting(self.witnessed) where natives[id] != nil {
            unwitnessed[id] = now + (timers.token + timers.consensus) * 2
        }
        reported.keep(rings: Set(proxies.map(\.stream.ring)))
    }

    /// Members of the rings that proxies were on last, the proxies themselves included. What a proxy knew stays true while it looks
    /// for a new ring: only a ring without a member says that the member is gone.
    private var witnessed: Set<UInt32> {
        proxies.reduce(into: []) { $0.formUnion($1.processor.members) }
    }

    /// All members that stay are synchronised on one ring.
    private var isOperational: Bool {
        var ring: TotemRingID?
        for proxy in proxies where proxy.isMember && !proxy.isLeaving {
            guard proxy.isReady, ring == nil || ring == proxy.processor.ring else { return false }
            ring = proxy.processor.ring
        }
        return ring != nil
    }

    mutating func reportMembers(at now: Instant) {
        var present = witnessed
        former.formIntersection(present)
        present.subtract(former)
        for proxy in proxies { present.remove(proxy.id) }
        if !unwitnessed.isEmpty { unwitnessed = unwitnessed.filter { natives[$0.key] != nil && !present.contains($0.key) } }
        for id in natives.keys.sorted() where !present.contains(id) {
            if !proxies.isEmpty, let end = unwitnessed[id], now < end {
                present.insert(id)
                continue
            }
            natives[id] = nil
            unwitnessed[id] = nil
            let departure: Departure = proxies.isEmpty ? .unobserved : leaving.contains(id) ? .left : .died
            leaving.remove(id)
            for port in listeners.keys { listeners[port]?.remove(id) }
            reports.append(.memberDown(id, departure))
        }
        guard present.count > natives.count else { return }
        for id in present.sorted() where natives[id] == nil {
            let member = SideMember(id: id, votes: lastQuorum?.votes[id])
            natives[id] = member
            leaving.remove(id)
            unwitnessed[id] = nil
            reports.append(.memberUp(member))
        }
    }

    private mutating func reportQuorum(_ quorum: VoteQuorum?) {
        guard let quorum, quorum != lastQuorum else { return }
        // Within one ring nothing but an administrator changes expected votes.
        if let last = lastQuorum, last.ring == quorum.ring, last.expectedVotes != quorum.expectedVotes, let node = natives.keys.min() {
            reports.append(.expectedVotes(quorum.expectedVotes, by: node))
        }
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
        for id in natives.keys.sorted() {
            guard let votes = quorum.votes[id], votes != natives[id]?.votes else { continue }
            natives[id]?.votes = votes
            reports.append(.memberChanged(SideMember(id: id, votes: votes)))
        }
    }

    private mutating func reportListeners(of authority: Int) {
        if proxies[authority].id != lastAuthority {
            lastAuthority = proxies[authority].id
            changedPorts.formUnion(listeners.keys)
        }
        guard !changedPorts.isEmpty else { return }
        for port in changedPorts.sorted() {
            guard let entry = configuration.ports.entry(for: port) else { continue }
            let present = Set(proxies[authority].processor.processes(in: entry.group).map(\.node)).intersection(natives.keys)
            let known = listeners[port] ?? []
            for node in known.subtracting(present).sorted() { reports.append(.listening(node: node, port: port, false)) }
            for node in present.subtracting(known).sorted() { reports.append(.listening(node: node, port: port, true)) }
            listeners[port] = present
        }
        changedPorts.removeAll()
    }
}
