import CaptureSupport
import ClusterServices
import EngineKit
import Testing
import TotemNode
import TotemWire
import WireFormat

/// Recorded messages with some bytes changed: the services refuse or take them, and go on working.
@Suite struct HostileMessages {
    private static func samples(
        _ captures: [String] = ["corosync/3.1.7-udpu-cpg", "corosync/3.1.7-udpu-stop", "corosync/3.1.7-udpu-confver"]
    ) throws -> [RecordedMessage] {
        var seen: [String: Int] = [:]
        return try captures.flatMap { try RecordedRing.messages(of: "\($0).pcap") }.filter { message in
            let key = "\(message.group)\(message.payload.prefix(4))"
            seen[key, default: 0] += 1
            return seen[key, default: 0] <= 5
        }
    }

    private static func deliver(
        _ payload: [UInt8],
        group: [UInt8],
        from sender: UInt32,
        _ stack: inout ServiceStack,
        _ effects: inout ProcessorEffects
    ) {
        payload.withUnsafeBytes { payload in
            group.withUnsafeBytes { group in
                stack.receive(payload, group: group, byteOrder: sender % 5 == 0 ? .big : .little, from: sender, into: &effects)
            }
        }
        stack.tokenSent()
    }

    @Test(arguments: 0..<4 as Range<UInt64>) func changedBytesDoNoHarm(_ seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        var stack = ServiceStack(configuration: ProcessorConfiguration(nodeID: 1, nodes: [1, 2, 3]))
        var effects = ProcessorEffects()
        let ring = TotemRingID(representative: 1, sequence: 13)
        stack.receive(
            TotemMembership(isTransitional: false, ring: ring, members: [1], joined: [1], left: []),
            at: .zero,
            into: &effects
        )
        for message in try Self.samples() {
            for _ in 0..<60 {
                var payload = message.payload
                for _ in 0...random.next() % 3 {
                    payload[Int(random.next() % UInt64(min(payload.count, 220)))] = UInt8(truncatingIfNeeded: random.next())
                }
                if random.next() % 8 == 0 { payload.removeLast(Int(random.next() % UInt64(payload.count))) }
                Self.deliver(payload, group: message.group, from: UInt32(random.next() % 6), &stack, &effects)
                stack.serviceMessages.drain { _, _, _ in true }
                effects.removeAll()
            }
        }
        // What is sound is still taken.
        let next = TotemRingID(representative: 1, sequence: 17)
        stack.receive(
            TotemMembership(isTransitional: false, ring: next, members: [1], joined: [], left: []),
            at: .zero,
            into: &effects
        )
        for _ in 0..<20 {
            var own: [(group: [UInt8], bytes: [UInt8])] = []
            stack.serviceMessages.drain { group, head, payload in
                own.append((Array(group.name.description.utf8), Array(head) + Array(payload)))
                return true
            }
            for message in own { Self.deliver(message.bytes, group: message.group, from: 1, &stack, &effects) }
        }
        #expect(stack.isSynchronised, "seed \(seed)")
    }

    /// Generations with captures that have every kind of message that their services take.
    private static let older: [(TotemGeneration, [String])] = [
        (.openais080, ["openais/wt-f5586a7-form3", "openais/wt-f5586a7-cpg-small", "openais/cman2-02a34df25-dirty-qdisk"]),
        (.openais080, ["openais/cman2-02a34df25-ports", "openais/cman2-02a34df25-barrier", "openais/wt-f5586a7-services"]),
        (.corosync1, ["corosync/flatiron1.4-udp-form", "corosync/flatiron1.4-udpu-cpg", "openais/cman3-da8bc8bc-votes"]),
        (.corosync2, ["corosync/needle2.4-udp-form", "corosync/needle2.4-udp-cpg"]),
    ]

    @Test(arguments: older) func changedBytesOfOlderGenerationsDoNoHarm(_ generation: TotemGeneration, _ captures: [String]) throws {
        var random = RandomSource(seed: UInt64(captures.count))
        var configuration = ProcessorConfiguration(nodeID: 1, nodes: [1, 2, 3])
        configuration.cman = CmanOnTotemConfiguration(
            generation == .corosync1 ? .cman3 : .cman2,
            clusterName: "oacluster",
            votes: [1: 1, 2: 1, 3: 1],
            joinTime: 5
        )
        var stack = ServiceStack(of: generation, configuration: configuration)
        var effects = ProcessorEffects()
        func enter(_ sequence: UInt64) {
            var address = TotemIPAddress()
            address.nodeID = 1
            let ring = TotemRingID(representative: 1, sequence: sequence, representativeAddress: address)
            stack.receive(
                TotemMembership(isTransitional: false, ring: ring, members: [1], joined: [1], left: []),
                at: .zero,
                into: &effects
            )
        }
        enter(12)
        for message in try Self.samples(captures) {
            for _ in 0..<40 {
                var payload = message.payload
                for _ in 0...random.next() % 3 {
                    payload[Int(random.next() % UInt64(min(payload.count, 220)))] = UInt8(truncatingIfNeeded: random.next())
                }
                if random.next() % 8 == 0 { payload.removeLast(Int(random.next() % UInt64(payload.count))) }
                Self.deliver(payload, group: message.group, from: UInt32(random.next() % 6), &stack, &effects)
                _ = stack.takeMessages()
                effects.removeAll()
            }
        }
        // The services can be synchronised as before.
        enter(16)
        for _ in 0..<60 {
            for message in stack.takeMessages() { stack.take(message, from: 1, into: &effects) }
            stack.tokenSent()
        }
        #expect(stack.isSynchronised)
    }

    @Test func processesOfANodeAreBounded() throws {
        var stack = ServiceStack(configuration: ProcessorConfiguration(nodeID: 1, nodes: [1, 2]))
        var effects = ProcessorEffects()
        let name = try #require(CPGName("g".utf8))
        for pid in 0..<9000 as Range<UInt32> {
            Self.deliver(try CPGProcessJoin(groupName: name, pid: pid).bytes(), group: Array("a".utf8), from: 2, &stack, &effects)
        }
        #expect(stack.processes(in: name).count == 8192)
        let refused = effects.effects.filter { if case .event(.refused(.tableFull(service: "cpg", from: 2))) = $0 { true } else { false } }
        #expect(refused.count == 9000 - 8192)
    }

    @Test func unknownServicesAndGroupsAreNamed() throws {
        var stack = ServiceStack(configuration: ProcessorConfiguration(nodeID: 1, nodes: [1, 2]))
        var effects = ProcessorEffects()
        Self.deliver([9, 0, 2, 0] + [UInt8](repeating: 0, count: 20), group: Array("a".utf8), from: 2, &stack, &effects)
        Self.deliver([1, 2, 3], group: Array("a".utf8), from: 2, &stack, &effects)
        Self.deliver([1, 2, 3], group: Array("b".utf8), from: 2, &stack, &effects)
        let refusals = effects.effects.compactMap { if case .event(.refused(let refusal)) = $0 { refusal } else { nil } }
        let short = WireError(.truncated(needed: 4, available: 3), field: "id", offset: 0)
        #expect(
            refusals == [
                .unknownFunction(service: 2, function: 9, from: 2), .malformed(service: "a", short, from: 2), .unknownGroup(from: 2),
            ]
        )
    }

    @Test func aBrokenLargeMessageIsRefusedAndTheNextOneTaken() throws {
        var stack = ServiceStack(configuration: ProcessorConfiguration(nodeID: 1, nodes: [1, 2]))
        var effects = ProcessorEffects()
        let name = try #require(CPGName("g".utf8))
        let group = Array("a".utf8)
        for sender in [1, 2] as [UInt32] {
            Self.deliver(try CPGProcessJoin(groupName: name, pid: 5).bytes(), group: group, from: sender, &stack, &effects)
        }
        effects.removeAll()
        func piece(_ part: CPGPartialMulticast.Part, _ bytes: [UInt8], total: Int) throws {
            let message = CPGPartialMulticast(groupName: name, pid: 5, node: 2, part: part, count: bytes.count, total: total)
            Self.deliver(try message.bytes(payload: bytes), group: group, from: 2, &stack, &effects)
        }
        // The last piece without a first one, more than was announced, less, and a whole message.
        try piece(.last, [1], total: 1)
        try piece(.first, [1, 2], total: 3)
        try piece(.last, [3, 4], total: 3)
        try piece(.first, [1], total: 3)
        try piece(.last, [2], total: 3)
        try piece(.first, [1], total: 1 << 21)
        try piece(.first, [1, 2], total: 4)
        try piece(.continued, [3], total: 4)
        try piece(.last, [4], total: 4)
        var payloads: [[UInt8]] = []
        var refused = 0
        for effect in effects.effects {
            switch effect {
            case .event(.message(_, _, let payload)): payloads.append(effects.bytes(payload))
            case .event(.refused): refused += 1
            default: break
            }
        }
        #expect(payloads == [[1, 2, 3, 4]])
        #expect(refused == 4)
    }

    @Test func whatALostNodeBeganTakesNoRoomAnyMore() throws {
        var stack = ServiceStack(configuration: ProcessorConfiguration(nodeID: 1, nodes: [1, 2]))
        var effects = ProcessorEffects()
        func enter(_ sequence: UInt64, _ members: [UInt32], from old: [UInt32]) throws {
            let ring = TotemRingID(representative: 1, sequence: sequence)
            stack.receive(
                TotemMembership(isTransitional: true, ring: ring, members: [1], joined: [], left: []),
                at: .zero,
                into: &effects
            )
            stack.receive(
                TotemMembership(
                    isTransitional: false,
                    ring: ring,
                    members: members,
                    joined: [],
                    left: old.filter { !members.contains($0) }
                ),
                at: .zero,
                into: &effects
            )
            for _ in 0..<20 {
                var own: [(group: [UInt8], bytes: [UInt8])] = []
                stack.serviceMessages.drain { group, head, payload in
                    own.append((Array(group.name.description.utf8), Array(head) + Array(payload)))
                    return true
                }
                for message in own {
                    for member in members where member == 1 || message.group == Array("sync".utf8) {
                        Self.deliver(message.bytes, group: message.group, from: member, &stack, &effects)
                    }
                }
            }
            try #require(stack.isSynchronised)
        }
        let name = try #require(CPGName("g".utf8))
        let group = Array("a".utf8)
        func begin(_ sender: UInt32, pid: UInt32) throws {
            let message = CPGPartialMulticast(groupName: name, pid: pid, node: sender, part: .first, count: 1, total: 2)
            Self.deliver(try message.bytes(payload: [1]), group: group, from: sender, &stack, &effects)
        }
        try enter(13, [1, 2], from: [1])
        for sender in [1, 2] as [UInt32] {
            Self.deliver(try CPGProcessJoin(groupName: name, pid: 5).bytes(), group: group, from: sender, &stack, &effects)
        }
        // Any process of a node that has one in the group may send, whether it is in the group itself or not.
        for pid in 0..<100 as Range<UInt32> { try begin(2, pid: pid) }
        try enter(17, [1], from: [1, 2])
        effects.removeAll()
        for pid in 200..<240 as Range<UInt32> { try begin(1, pid: pid) }
        #expect(effects.effects.isEmpty)
    }
}
