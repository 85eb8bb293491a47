import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// The first cman on Totem as every member runs it (reference/ais-behaviour.md 8; ais.c and commands.c of 06267550e). Totem knows nodes by
/// their address only; a node asks to be taken in, and the member with the lowest id answers everyone with all it knows. Barriers, which
/// were counted twice there, are refused.
package struct FirstCmanService: Sendable {
    /// What is known of a node.
    struct Node: Sendable {
        /// NODESTATE_* (cnxman-socket.h:103@cluster-ais).
        enum State: UInt32, Sendable {
            case joining = 1
            case member = 2
            case dead = 3
            case leaving = 4
        }

        /// Its address as a number, by which Totem knows it.
        var address: UInt32
        /// Its id; 0 until it is known.
        var id: UInt32 = 0
        var state = State.joining
        var votes: UInt32 = 0
        var expectedVotes: UInt32 = 0
        var leaveReason: UInt16 = 0
        var ports = CmanOnTotemPortStatus()
        var name: [UInt8] = []
    }

    /// After a JOINREQ that nobody answers for so long, a node is a cluster of its own (commands.c:1243).
    static let joinTimeout = Interval.milliseconds(1000)
    /// PROCESSOR_COUNT_MAX of 2005 with room for nodes that went; those are forgotten first.
    private static let nodeLimit = 64

    let address: UInt32
    let configuration: FirstCmanConfiguration
    /// All nodes in the order in which they became known, this one first.
    var nodes: [Node]
    var quorum: UInt32 = 0
    var isQuorate = false
    private var lastReport: CmanOnTotemQuorum?
    private var hasAskedOthers = false

    /// When this node is a cluster of its own unless somebody answers.
    package private(set) var nextDeadline: Instant?

    /// cman of the node at `address`, as a number.
    package init(address: UInt32, configuration: FirstCmanConfiguration) {
        self.address = address
        self.configuration = configuration
        var us = Node(address: address, id: configuration.nodeID, votes: configuration.votes)
        us.expectedVotes = configuration.expectedVotes
        us.name = Array(configuration.nodeName.utf8.prefix(63))
        nodes = [us]
    }

    /// This node.
    var us: Node {
        get { nodes[0] }
        set { nodes[0] = newValue }
    }

    /// The ids of the members, ascending.
    package var members: [UInt32] { nodes.filter { $0.state == .member }.map(\.id).sorted() }

    private func index(of address: UInt32) -> Int? { nodes.firstIndex { $0.address == address } }

    func index(ofID id: UInt32) -> Int? { id == 0 ? nil : nodes.firstIndex { $0.id == id } }

    // MARK: The ring

    /// A configuration of the ring (confchg_fn, ais.c:128).
    mutating func receive(
        _ membership: TotemMembership,
        at now: Instant,
        into outbox: inout Outbox,
        _ effects: inout ProcessorEffects
    ) {
        if !hasAskedOthers, !membership.isTransitional {
            say(.joinRequest(joinRequest), into: &outbox)
            nextDeadline = now + Self.joinTimeout
            hasAskedOthers = membership.members.count > 1
        }
        for address in membership.left { remove(address, into: &effects) }
        for address in membership.joined {
            guard let index = index(of: address) else {
                add(Node(address: address))
                continue
            }
            if nodes[index].state == .dead { nodes[index].state = .joining }
        }
    }

    private mutating func add(_ node: Node) {
        if nodes.count >= Self.nodeLimit {
            guard let dead = nodes.indices.dropFirst().first(where: { nodes[$0].state == .dead }) else { return }
            nodes.remove(at: dead)
        }
        nodes.append(node)
    }

    private var joinRequest: CmanOnTotemJoinRequest {
        var request = CmanOnTotemJoinRequest()
        request.clusterID = configuration.clusterID
        request.nodeID = Int32(clamping: configuration.nodeID)
        request.votes = Int32(clamping: us.votes)
        request.expectedVotes = Int32(clamping: us.expectedVotes)
        request.majorVersion = 6
        request.patchVersion = 1
        request.configVersion = configuration.configVersion
        for (index, byte) in configuration.clusterName.utf8.prefix(15).enumerated() { request.clusterName.bytes[index] = byte }
        request.name = us.name
        // The daemon sends the structure's three bytes of alignment too (commands.c:1216).
        request.filler = [0, 0, 0]
        return request
    }

    /// Nobody answered: this node is a cluster of its own (join_timeout, commands.c:1197).
    package mutating func advance(to now: Instant, into effects: inout ProcessorEffects) {
        guard let deadline = nextDeadline, deadline <= now else { return }
        nextDeadline = nil
        guard members.isEmpty else { return }
        if us.id == 0 { us.id = 1 }
        us.state = .member
        effects.report(.cman(.memberUp(us.id)))
        recalculate(allowDecrease: false, into: &effects)
    }

    private mutating func remove(_ address: UInt32, into effects: inout ProcessorEffects) {
        guard let index = index(of: address), index > 0 else { return }
        let node = nodes[index]
        guard node.state == .member || node.state == .leaving else { return }
        nodes[index].state = .dead
        effects.report(.cman(.memberDown(node.id, reason: node.leaveReason)))
        recalculate(allowDecrease: node.state == .leaving && node.leaveReason & 0xF == 3, into: &effects)
    }

    // MARK: Joining

    /// A node asks to be taken in (do_process_joinreq, commands.c:1278).
    mutating func receive(
        _ request: CmanOnTotemJoinRequest,
        from sender: UInt32,
        into outbox: inout Outbox,
        _ effects: inout ProcessorEffects
    ) {
        guard sender != address else { return }
        if us.state == .member, let mismatch = mismatch(request, from: sender) {
            effects.report(.refused(.mismatch(mismatch, from: sender)))
            let kill = CmanOnTotemKill(node: request.nodeID, reason: .rejected, of: .totem2005)
            say(.killNode(kill), to: -1, into: &outbox)
            return
        }
        if index(of: sender) == nil { add(Node(address: sender)) }
        guard let index = index(of: sender) else { return }
        if nodes[index].id == 0 { nodes[index].id = UInt32(clamping: request.nodeID) }
        nodes[index].state = .joining
        nodes[index].votes = UInt32(clamping: request.votes)
        nodes[index].expectedVotes = UInt32(clamping: request.expectedVotes)
        if nodes[index].name.isEmpty { nodes[index].name = Array(request.name.prefix(63)) }
        nodes[index].ports = CmanOnTotemPortStatus()
        nodes[index].ports.insert(0)
        recalculate(allowDecrease: false, into: &effects)
        guard us.state == .member, members.first == us.id else { return }
        if nodes[index].id == 0 { nodes[index].id = (nodes.map(\.id).max() ?? 0) &+ 1 }
        var confirmation = CmanOnTotemJoinConfirmation()
        confirmation.nodeID = Int32(clamping: nodes[index].id)
        confirmation.nodes = nodes.map(\.confirmed)
        say(.joinConfirmation(confirmation), into: &outbox)
    }

    private func mismatch(_ request: CmanOnTotemJoinRequest, from sender: UInt32) -> CmanOnTotemMismatch? {
        let name = (0..<16).prefix { request.clusterName.bytes[$0] != 0 }.map { request.clusterName.bytes[$0] }
        guard name == Array(configuration.clusterName.utf8.prefix(15)) else { return .clusterName }
        guard request.clusterID == configuration.clusterID else { return .clusterID }
        let sameID = index(ofID: UInt32(clamping: request.nodeID))
        let sameName = nodes.firstIndex { $0.name == request.name }
        guard request.nodeID == 0 || sameID == sameName else { return .nodeID(request.nodeID) }
        guard request.majorVersion == 6 else { return .version(request.majorVersion) }
        guard request.configVersion == configuration.configVersion else { return .configVersion(request.configVersion) }
        return nil
    }

    /// A node is taken in (do_process_joinconf, commands.c:236).
    mutating func receive(_ confirmation: CmanOnTotemJoinConfirmation, into effects: inout ProcessorEffects) {
        let granted = UInt32(clamping: confirmation.nodeID)
        guard us.state == .joining else {
            // Somebody else's: the one node that is joining.
            guard granted != 0, let index = nodes.firstIndex(where: { $0.state == .joining }) else { return }
            nodes[index].id = granted
            nodes[index].state = .member
            effects.report(.cman(.memberUp(granted)))
            recalculate(allowDecrease: false, into: &effects)
            return
        }
        // A daemon that is given another id than it wanted aborts.
        guard configuration.nodeID == 0 || configuration.nodeID == granted else {
            effects.report(.refused(.mismatch(.nodeID(confirmation.nodeID), from: address)))
            return
        }
        us.id = granted
        for entry in confirmation.nodes { take(entry) }
        us.state = .member
        for member in members { effects.report(.cman(.memberUp(member))) }
        recalculate(allowDecrease: false, into: &effects)
    }

    private mutating func take(_ entry: CmanOnTotemJoinConfirmation.Node) {
        let number = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(entry.address.bytes[$1]) }
        guard number != address else { return }
        if index(of: number) == nil { add(Node(address: number)) }
        guard let index = index(of: number) else { return }
        nodes[index].id = UInt32(clamping: entry.nodeID)
        nodes[index].state = Node.State(rawValue: entry.state) ?? .dead
        nodes[index].votes = entry.votes
        nodes[index].expectedVotes = entry.expectedVotes
        nodes[index].ports.portBits = entry.portBits
        nodes[index].name = (0..<64).prefix { entry.name.bytes[$0] != 0 }.map { entry.name.bytes[$0] }
    }

    // MARK: Quorum

    /// Quorum as it stands now.
    package var current: CmanOnTotemQuorum {
        let members = nodes.filter { $0.state == .member }
        return CmanOnTotemQuorum(
            quorum: quorum,
            totalVotes: members.reduce(0) { $0 &+ $1.votes },
            expectedVotes: members.map(\.expectedVotes).max() ?? 0,
            isQuorate: isQuorate,
            votes: Dictionary(members.map { ($0.id, $0.votes) }) { first, _ in first }
        )
    }

    mutating func recalculate(allowDecrease: Bool, into effects: inout ProcessorEffects) {
        let now = current
        var needed = max((now.expectedVotes &+ 2) / 2, (now.totalVotes &+ 2) / 2)
        if !allowDecrease { needed = max(needed, quorum) }
        quorum = configuration.twoNode ? 1 : needed
        isQuorate = quorum <= now.totalVotes
        let quorum = current
        guard quorum != lastReport else { return }
        lastReport = quorum
        effects.report(.cman(.quorum(quorum)))
    }

    // MARK: Sending

    /// Sends a message of port 0 to node `target`: 0 everyone, -1 a node that is joining.
    func say(_ body: CmanOnTotemMessage.Body, to target: Int32 = 0, into outbox: inout Outbox) {
        var message = CmanOnTotemMessage(.ack, of: .totem2005)
        message.header = CmanOnTotemHeader(source: Int32(clamping: us.id), sourcePort: 0, target: target, targetPort: 0)
        message.body = body
        outbox.add(message, to: .cman)
    }

    /// Sends `payload` of a program at `sourcePort` to port `port`, not 0, of node `target`, 0 for everyone, this node included.
    func send(
        _ payload: UnsafeRawBufferPointer,
        to target: UInt32,
        port: UInt8,
        from sourcePort: UInt8,
        into outbox: inout Outbox
    ) {
        var message = CmanOnTotemMessage(.data, of: .totem2005)
        message.header = CmanOnTotemHeader(
            source: Int32(clamping: us.id),
            sourcePort: sourcePort,
            target: Int32(clamping: target),
            targetPort: port
        )
        outbox.add(message, to: .cman, payload: payload)
    }
}

extension FirstCmanService.Node {
    /// The node as JOINCONF tells it.
    var confirmed: CmanOnTotemJoinConfirmation.Node {
        var entry = CmanOnTotemJoinConfirmation.Node()
        entry.nodeID = Int32(clamping: id)
        entry.expectedVotes = expectedVotes
        entry.votes = votes
        entry.state = state.rawValue
        for index in 0..<4 { entry.address.bytes[index] = UInt8(truncatingIfNeeded: address >> (24 - 8 * UInt32(index))) }
        entry.portBits = ports.portBits
        for (index, byte) in name.prefix(63).enumerated() { entry.name.bytes[index] = byte }
        return entry
    }
}
