import CaptureSupport
import ClusterServices
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// Our services in the role of a recorded daemon: fed with what the daemon delivered, in order.
struct RecordedNode {
    /// A message by Totem group and bytes.
    struct Sent: Equatable, CustomStringConvertible {
        var group: ServiceGroup
        var bytes: [UInt8]

        var kind: ServiceMessageKind? {
            bytes.withUnsafeBytes { try? ServiceMessage(matching: $0, in: group, of: .corosync3, byteOrder: .little).kind }
        }

        /// Daemons keep the list in one place; what lies behind the used entries depends on the time before the capture.
        var withoutStaleEntries: Sent {
            guard kind == .cpgDownList, bytes.count == 1568 else { return self }
            var copy = self
            for index in (32 + 4 * Int(bytes[24]))..<1568 { copy.bytes[index] = 0 }
            return copy
        }

        var description: String {
            "\(kind.map { "\($0.name)" } ?? "?") \(bytes.prefix(60).map { String($0, radix: 16) }.joined(separator: " "))"
        }
    }

    let node: UInt32
    private var stack: ServiceStack
    private var effects = ProcessorEffects()
    private var members: [UInt32] = []
    /// What our services said.
    private(set) var sent: [Sent] = []
    /// What the daemon said, of the same kinds.
    private(set) var recorded: [Sent] = []
    /// What our services reported, with the payload of messages.
    private(set) var events: [(event: ProcessorEvent, payload: [UInt8])] = []

    init(node: UInt32, configuration: ProcessorConfiguration) {
        self.node = node
        stack = ServiceStack(configuration: configuration)
    }

    var quorum: VoteQuorum? { stack.quorum }

    /// Plays the capture `name`. When it begins in a ring of `first`, that ring is synchronised before.
    mutating func play(_ name: String, first: [UInt32]?) throws {
        let rings = try RecordedRing.sequence(of: name, asSeenBy: node, first: first)
        if let first {
            startInside(RecordedRing(id: rings.first?.ring.id ?? RingID(), members: first))
        } else {
            stack.start()
            collect()
        }
        for (index, (ring, messages)) in rings.enumerated() {
            if index > 0 || first == nil { enter(ring) }
            for message in messages { deliver(message) }
        }
    }

    /// Enters `ring` as the daemon did.
    private mutating func enter(_ ring: RecordedRing) {
        let origin = ring.origins[node]
        // A daemon that has just started comes from no ring.
        let transitional = ring.members.filter { members.contains($0) && ring.origins[$0] == origin }
        members = ring.members
        let id = TotemRingID(representative: ring.id.representative, sequence: ring.id.sequence)
        for isTransitional in [true, false] {
            stack.receive(
                TotemMembership(
                    isTransitional: isTransitional,
                    ring: id,
                    members: isTransitional ? transitional : ring.members,
                    joined: isTransitional ? [] : ring.members.filter { !transitional.contains($0) },
                    left: []
                ),
                into: &effects
            )
        }
        collect()
    }

    private mutating func deliver(_ message: RecordedMessage) {
        if message.sender == node, let group = message.group.withUnsafeBytes({ ServiceGroup(name: $0) }) {
            let said = Sent(group: group, bytes: message.payload)
            if said.isOfServices { recorded.append(said) }
        }
        message.payload.withUnsafeBytes { payload in
            message.group.withUnsafeBytes { group in
                stack.receive(payload, group: group, byteOrder: message.byteOrder, from: message.sender, into: &effects)
            }
        }
        collect()
        // Without loss every member has its turn within the rotation after the last barrier, before anyone's words are delivered.
        stack.tokenSent()
        collect()
    }

    private mutating func collect() {
        stack.serviceMessages.drain { group, head, payload in
            sent.append(Sent(group: group, bytes: Array(head) + Array(payload)))
            return true
        }
        for case .event(let event) in effects.effects {
            if case .message(_, _, let payload) = event {
                events.append((event, effects.bytes(payload)))
            } else {
                events.append((event, []))
            }
        }
        effects.removeAll()
    }

    /// Brings the services to where they are in `ring`, synchronised and quorate, with one vote for each member.
    private mutating func startInside(_ ring: RecordedRing) {
        func say(_ message: some WireMessage, _ group: ServiceGroup, _ sender: UInt32) {
            let bytes = (try? message.bytes()) ?? []
            deliver(RecordedMessage(sender: sender, group: Array(group.name.description.utf8), payload: bytes, byteOrder: .little))
        }
        enter(ring)
        for member in ring.members { say(SyncServiceBuild(ringID: ring.id, services: [0, 2, 3, 5]), .synchronisation, member) }
        for round in 0..<4 {
            for member in ring.members {
                let votes = VoteQuorumNodeInfo(nodeid: member, votes: 1, expectedVotes: UInt32(ring.members.count), flags: [])
                if round == 3 { say(votes, .services, member) }
                say(SyncBarrier(ringID: ring.id), .synchronisation, member)
            }
        }
        sent.removeAll()
        recorded.removeAll()
        events.removeAll()
    }
}

extension RecordedNode.Sent {
    /// Whether services say it by themselves, not for a client.
    var isOfServices: Bool {
        switch kind {
        case .syncBarrier, .syncServiceBuild, .cmapMulticast, .cpgDownList, .cpgJoinList, .voteQuorumNodeInfo: true
        default: false
        }
    }
}
