import CaptureSupport
import ClusterServices
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// Our services in the role of a recorded daemon: fed with what the daemon delivered, in order.
struct RecordedNode {
    let node: UInt32
    private let generation: TotemGeneration
    private let configuration: ProcessorConfiguration
    private var stack: ServiceStack
    private var effects = ProcessorEffects()
    private var members: [UInt32] = []
    private var ring: RingID?
    /// Whether the daemon was alone for so long that it took itself for a cluster; the first cman only.
    var isFounder = false
    /// Sequence number of the daemon's first ring, where the capture begins later.
    var firstSequence: UInt64 = 4
    /// What our services said.
    private(set) var sent: [SaidMessage] = []
    /// What the daemon said, of the same kinds.
    private(set) var recorded: [SaidMessage] = []
    /// What our services reported, with the payload of messages.
    private(set) var events: [(event: ProcessorEvent, payload: [UInt8])] = []

    init(node: UInt32, of generation: TotemGeneration = .corosync3, configuration: ProcessorConfiguration) {
        self.node = node
        self.generation = generation
        self.configuration = configuration
        stack = ServiceStack(of: generation, configuration: configuration)
    }

    var quorum: VoteQuorum? { stack.quorum }
    var isSynchronised: Bool { stack.isSynchronised }
    var cmanQuorum: CmanOnTotemQuorum? { stack.cmanQuorum }
    var cmanMembers: [UInt32] { stack.cmanMembers }
    /// The services as they are after the play.
    var services: ServiceStack { stack }

    /// Plays the capture `name`. When it begins in a ring of `first`, that ring is synchronised before. `prepare` does what was done on the
    /// node before the capture.
    mutating func play(
        _ name: String,
        first: [UInt32]?,
        prepare: (inout ServiceStack, inout ProcessorEffects) -> Void = { _, _ in }
    ) throws {
        let rings = try RecordedRing.sequence(of: name, asSeenBy: node, first: first)
        var isInside = false
        if let first, let recorded = rings.first?.ring {
            isInside = recorded.members == first
            let origin = recorded.origins[node] ?? RingID()
            let before = RecordedRing(id: origin, representativeAddress: address(of: origin), members: first)
            startInside(isInside ? recorded : before)
        } else {
            stack.start(into: &effects)
            collect()
        }
        prepare(&stack, &effects)
        if first != nil {
            collect()
            sent.removeAll()
            events.removeAll()
        }
        for (index, (ring, messages)) in rings.enumerated() {
            if index > 0 || !isInside {
                enterUnrecordedRing(before: ring)
                enter(ring)
            }
            for message in messages { deliver(message) }
            if isFounder, ring.members == [node] { stack.advance(to: .zero + .seconds(2), into: &effects) }
        }
    }

    /// Enters `ring` as the daemon did.
    private mutating func enter(_ ring: RecordedRing) {
        let origin = ring.origins[node]
        // A daemon that has just started comes from no ring.
        let transitional = ring.members.filter { members.contains($0) && ($0 == node || ring.origins[$0] == origin) }
        let before = members
        members = ring.members
        self.ring = ring.id
        for configuration in TotemMembership.change(to: ring.totemRing, ring.members, from: before, transitional: transitional) {
            stack.receive(configuration, at: .zero, into: &effects)
        }
        collect()
    }

    /// Rings of one node are on no wire up to corosync 2: what a daemon says in them reaches nobody else.
    private mutating func enterUnrecordedRing(before next: RecordedRing) {
        guard generation < .corosync3, generation > .totem2005, let origin = next.origins[node], origin != ring, origin.sequence > 0 else {
            return
        }
        // Nor what it says before it has a ring.
        let count = ring == nil ? 0 : sent.count
        enter(RecordedRing(id: origin, representativeAddress: address(of: origin), members: [node]))
        for _ in 0..<40 {
            let own = Array(sent[count...])
            sent.removeSubrange(count...)
            for message in own { stack.take(message, from: node, into: &effects) }
            stack.tokenSent()
            collect()
        }
        sent.removeSubrange(count...)
    }

    private func address(of ring: RingID) -> TotemIPAddress? {
        guard generation < .corosync3 else { return nil }
        var representative = TotemIPAddress()
        representative.nodeID = ring.representative
        return representative
    }

    private mutating func deliver(_ message: RecordedMessage) {
        if message.sender == node, let group = message.group.withUnsafeBytes({ ServiceGroup(name: $0) }) {
            let said = SaidMessage(group: group, bytes: message.payload, generation: generation, byteOrder: message.byteOrder)
            if said.isOfServices || group == .cman { recorded.append(said) }
            if case .cman(let order)? = said.message?.body { carryOut(order, said.bytes) }
        }
        message.payload.withUnsafeBytes { payload in
            message.group.withUnsafeBytes { group in
                stack.receive(payload, group: group, byteOrder: message.byteOrder, from: message.sender, into: &effects)
            }
        }
        collect()
        // Without loss every member has its turn within the rotation after the last barrier, before anyone's words are delivered. Until
        // corosync 1 a service may need several tokens to say what it has to say.
        for _ in 0..<(generation <= .corosync1 ? 5 : 1) {
            stack.tokenSent()
            collect()
        }
    }

    /// Does what a program or an administrator did on this node, as its message tells.
    private mutating func carryOut(_ order: CmanOnTotemMessage, _ bytes: [UInt8]) {
        let target = UInt32(clamping: order.header.tgtid)
        switch order.body {
        case .portOpened(let port): _ = stack.open(port: port.port)
        case .portClosed(let port): _ = stack.close(port: port.port)
        case .portEnquiry: _ = stack.isListening(target, port: 1)
        case .barrier(let barrier) where barrier.subcmd == CmanOnTotemBarrier.Operation.wait.rawValue:
            let name = String(decoding: (0..<33).prefix { barrier.name.bytes[$0] != 0 }.map { barrier.name.bytes[$0] }, as: UTF8.self)
            _ = stack.register(barrier: name, nodes: name.hasSuffix("0") ? 0 : 3)
            _ = stack.wait(barrier: name)
        case .killNode(let kill) where kill.reason == CmanOnTotemKill.Reason.cmanTool.rawValue:
            _ = stack.cmanKill(UInt32(clamping: kill.nodeID))
        case .leave(let leave): stack.cmanLeave(reason: leave.reason)
        case .reconfigure(let change) where change.param == 1: _ = stack.cmanReconfigure(expectedVotes: change.value)
        case .reconfigure(let change):
            _ = stack.cmanReconfigure(votes: change.value, of: UInt32(clamping: change.nodeID), into: &effects)
        case .data(let range):
            bytes.withUnsafeBytes {
                let payload = UnsafeRawBufferPointer(rebasing: $0[range.range])
                stack.send(payload, to: target, port: order.header.tgtport, from: order.header.srcport)
            }
        default:
            return
        }
        collect()
    }

    private mutating func collect() {
        sent += stack.takeMessages().filter { $0.isOfServices || $0.group == .cman }
        for case .event(let event) in effects.effects {
            if let payload = event.payload {
                events.append((event, effects.bytes(payload)))
            } else {
                events.append((event, []))
            }
        }
        effects.removeAll()
    }

    /// Brings the services to where they are in `ring`, synchronised and quorate, with one vote for each member, all of whom were alone
    /// before.
    private mutating func startInside(_ ring: RecordedRing) {
        var ensemble = ServiceEnsemble(
            ring.members.map { member in
                var other = configuration
                other.totem.nodeID = member
                // The node ids of the recorded cluster are the last bytes of its addresses.
                other.firstCman?.nodeID = member & 0xFF
                other.firstCman?.nodeName = "oanode\(member & 0xFF)"
                return other
            },
            of: generation
        )
        for member in ring.members {
            let alone = RingID(representative: member, sequence: firstSequence)
            ensemble.enter(RecordedRing(id: alone, representativeAddress: address(of: alone)).totemRing, members: [member])
        }
        if generation == .totem2005, let founder = ring.members.first {
            // One by one: the first cman takes in one node at a time.
            ensemble.perform(founder) { $0.advance(to: .zero + .seconds(2), into: &$1) }
            for count in 2..<max(2, ring.members.count) {
                let id = TotemRingID(representative: founder, sequence: firstSequence + UInt64(4 * count))
                ensemble.enter(id, members: Array(ring.members.prefix(count)))
            }
        }
        ensemble.enter(ring.totemRing, members: ring.members)
        if let own = ensemble.stacks[node] { stack = own }
        members = ring.members
        self.ring = ring.id
    }
}

extension SaidMessage {
    /// Whether services say it by themselves, not for a client.
    var isOfServices: Bool {
        switch kind {
        case .syncBarrier, .syncServiceBuild, .syncv2Barrier, .syncv2ServiceBuild, .syncv2MembershipDetermine, .cmapMulticast, .cpgDownList,
            .cpgDownListOld, .cpgJoinList, .voteQuorumNodeInfo, .clmNodeJoin:
            true
        case .evt(.channelCommand), .ckpt(.syncCheckpoint): true
        default: false
        }
    }
}

extension RecordedRing {
    /// The ring as a processor names it.
    var totemRing: TotemRingID {
        TotemRingID(representative: id.representative, sequence: id.sequence, representativeAddress: representativeAddress)
    }
}

extension ProcessorEvent {
    /// Where the payload of a message lies.
    var payload: ByteRange? {
        switch self {
        case .message(_, _, let payload), .cman(.data(_, _, _, _, let payload)): payload
        default: nil
        }
    }
}
