import EngineKit
import Testing
import TotemNode
import TotemWire
import WireFormat

/// One processor's redundant ring protocol, fed by hand.
private final class Harness<Dialect: TotemDialect> {
    var ring: RedundantRing<Dialect>
    var effects = RedundantRing<Dialect>.Output()
    var now = Instant.zero

    init(_ mode: RedundantRingMode, nodeID: UInt32 = 1, change: (inout RedundantRingConfiguration) -> Void = { _ in }) {
        var configuration = RedundantRingConfiguration(
            nodeID: nodeID,
            mode: mode,
            generation: Dialect.generation,
            tokenRetransmit: .milliseconds(238)
        )
        change(&configuration)
        ring = RedundantRing(configuration: configuration)
    }

    private static var source: Endpoint { Endpoint(IPAddress(ipv4: 0x0A4D_0202), 5405) }

    func send(_ destination: TotemDestination) -> RingInterfaces { ring.interfaces(for: destination, at: now, into: &effects) }

    /// Hands in `bytes`; says whether they pass up.
    func receive(_ bytes: [UInt8], over interface: Int) -> Bool {
        bytes.withUnsafeBytes {
            let reception = ring.receive($0, from: Self.source, over: interface, at: now, into: &effects)
            ring.monitor(reception, at: now, into: &effects)
            return reception.passesUp
        }
    }

    func receive<Message: WireStructure>(_ message: Message, over interface: Int, byteOrder: ByteOrder = .little) throws -> Bool {
        return try receive(message.bytes(byteOrder: byteOrder), over: interface)
    }

    func wait(_ interval: Interval) {
        let end = now + interval
        while let deadline = ring.nextDeadline, deadline <= end {
            now = deadline
            ring.advance(to: now, into: &effects)
        }
        now = end
    }

    /// What was reported since the last time, and what was sent.
    func take() -> (events: [RedundantRingEvent], tests: [SentTest]) {
        var events: [RedundantRingEvent] = []
        var tests: [SentTest] = []
        for effect in effects.effects {
            switch effect {
            case .event(let event): events.append(event)
            case .transmit(let range, let destination):
                effects.withBytes(range) {
                    if let test = try? RingTest(reading: $0, byteOrder: .little) { tests.append(SentTest(test: test, to: destination)) }
                }
            }
        }
        effects.removeAll()
        return (events, tests)
    }
}

private struct SentTest: Equatable {
    var test: RingTest
    var to: RingDestination
}

private func token<Dialect: TotemDialect>(_ sequence: UInt32, ring: Dialect.Ring = Dialect.Ring(), _: Dialect.Type) -> OrfToken<Dialect> {
    var token = OrfToken<Dialect>()
    token.tokenSequence = sequence
    token.ring = ring
    return token
}

private func ring(_ sequence: UInt64) -> AddressedRingID {
    var ring = AddressedRingID()
    ring.representative.nodeID = 1
    ring.representative.family = 2
    ring.sequence = sequence
    return ring
}

private let both: RingInterfaces = [RingInterfaces(0), RingInterfaces(1)]

@Suite struct RedundantRingTests {
    // MARK: Passive

    /// The first packet of a kind goes over the second network: daemons count on before they send (totemrrp.c:690@wt).
    @Test func passiveTakesTurnsForTokensAndMulticastsByThemselves() {
        let harness = Harness<Corosync2>(.passive)
        let tokens = (0..<4).map { _ in harness.send(.node(2)) }
        let multicasts = [harness.send(.everyone), harness.send(.members), harness.send(.members)]
        #expect(tokens == [1, 0, 1, 0].map { RingInterfaces($0) })
        #expect(multicasts == [1, 0, 1].map { RingInterfaces($0) })
    }

    @Test func passiveFindsTheNetworkThatLacksMoreTokensThanTheThreshold() throws {
        let harness = Harness<Corosync2>(.passive)
        for sequence in 0..<10 { #expect(try harness.receive(token(UInt32(sequence), ring: ring(1), Corosync2.self), over: 0)) }
        #expect(harness.take().events == [])
        #expect(try harness.receive(token(10, ring: ring(1), Corosync2.self), over: 0))
        #expect(harness.take().events == [.faulty(interface: 1)])
        #expect((0..<3).map { _ in harness.send(.node(2)) } == [0, 0, 0].map { RingInterfaces($0) })
        #expect((0..<3).map { _ in harness.send(.everyone) } == [0, 0, 0].map { RingInterfaces($0) })
    }

    /// corosync counts lacking multicasts to ten times the threshold, openais to the threshold (totemconfig.c:740@fl; totemrrp.c:675@wt).
    @Test func multicastsHaveAThresholdOfTheirOwn() throws {
        func multicastsUntilFault<Dialect: TotemDialect>(_: Dialect.Type) throws -> Int {
            let harness = Harness<Dialect>(.passive)
            var message = Mcast<Dialect>()
            message.header.type = TotemMessageKind.mcast.rawValue
            var bytes = try message.bytes()
            // Its processor's address is that of a network; nobody looks at it here.
            if Dialect.generation == .corosync2 { bytes[8] = 1 }
            for count in 1...200 {
                _ = harness.receive(bytes, over: 1)
                if harness.take().events == [.faulty(interface: 0)] { return count }
            }
            return 0
        }
        #expect(try multicastsUntilFault(OpenAIS080.self) == 11)
        #expect(try multicastsUntilFault(Corosync1.self) == 101)
        #expect(try multicastsUntilFault(Corosync2.self) == 101)
    }

    @Test func ownMulticastsCountOverTheNetworkTheyTook() throws {
        let harness = Harness<Corosync2>(.passive) { $0.multicastProblemCountThreshold = 4 }
        for _ in 0..<20 { _ = harness.send(.everyone) }
        #expect(harness.take().events == [])
    }

    @Test func withTwoFaultyNetworksPacketsStillGoOut() throws {
        let harness = Harness<Corosync2>(.passive)
        for sequence in 0..<11 { _ = try harness.receive(token(UInt32(sequence), ring: ring(1), Corosync2.self), over: 0) }
        for sequence in 11..<40 { _ = try harness.receive(token(UInt32(sequence), ring: ring(1), Corosync2.self), over: 1) }
        #expect(harness.take().events == [.faulty(interface: 1), .faulty(interface: 0)])
        #expect(!harness.send(.node(2)).isEmpty)
        #expect(harness.send(.everyone) == RingInterfaces(0))
        let active = Harness<OpenAIS080>(.active) { $0.problemCountThreshold = 1 }
        _ = try active.receive(token(1, ring: ring(1), OpenAIS080.self), over: 0)
        active.wait(.milliseconds(238))
        _ = try active.receive(token(2, ring: ring(1), OpenAIS080.self), over: 1)
        #expect(active.send(.node(2)) == RingInterfaces(0))
    }

    // MARK: Active

    @Test func activeSendsEverythingOverEveryNetwork() {
        let harness = Harness<Corosync1>(.active)
        #expect(harness.send(.node(2)) == both)
        #expect(harness.send(.everyone) == both)
    }

    @Test func activeHandsUpATokenThatCameOverAllNetworks() throws {
        let harness = Harness<Corosync1>(.active)
        for sequence in 1...50 as ClosedRange<UInt32> {
            let first = Int(sequence % 2)
            #expect(try !harness.receive(token(sequence, ring: ring(4), Corosync1.self), over: first))
            #expect(try harness.receive(token(sequence, ring: ring(4), Corosync1.self), over: 1 - first))
        }
        harness.wait(.seconds(10))
        #expect(harness.take().events == [])
    }

    @Test func multicastsPassAtOnce() throws {
        let harness = Harness<Corosync1>(.active)
        var message = Mcast<Corosync1>()
        message.header.type = TotemMessageKind.mcast.rawValue
        #expect(try harness.receive(message, over: 0))
        #expect(try harness.receive(message, over: 1))
    }

    @Test func aTokenThatLacksACopyPassesWhenItsTimeIsUp() throws {
        let harness = Harness<Corosync1>(.active)
        let waiting = token(7, ring: ring(4), Corosync1.self)
        #expect(try !harness.receive(waiting, over: 1))
        harness.wait(.milliseconds(237))
        #expect(harness.take().events == [])
        harness.wait(.milliseconds(1))
        // What was kept is still in the memory of a copy.
        let effects = harness.effects
        let events = harness.take().events
        #expect(events.first == .problem(interface: 0, tokenSequence: 7, count: 1, threshold: 10))
        var handedUp: (bytes: [UInt8], interface: Int)?
        if case .token(let range, _, let interface) = events.last { handedUp = (effects.bytes(range), interface) }
        #expect(try handedUp?.bytes == waiting.bytes())
        #expect(handedUp?.interface == 1)
        // The copy that comes late passes too: the processor knows what it has seen.
        #expect(try harness.receive(waiting, over: 0))
        #expect(try !harness.receive(token(8, ring: ring(4), Corosync1.self), over: 0))
    }

    /// Ten problems within the time in which one is forgotten make a network faulty, and tokens no longer wait for it.
    @Test func activeFindsTheNetworkThatMissesTokens() throws {
        let harness = Harness<Corosync2>(.active)
        var counts: [Int] = []
        var sequence: UInt32 = 0
        while !harness.ring.isFaulty(1), sequence < 100 {
            sequence += 1
            #expect(try !harness.receive(token(sequence, ring: ring(4), Corosync2.self), over: 0))
            harness.wait(.milliseconds(238))
            counts.append(harness.ring.problemCount(of: 1))
        }
        // A problem every 238 ms; the first is forgotten 2 s after it, at 2238 ms.
        #expect(counts == [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10])
        #expect(harness.take().events.contains(.faulty(interface: 1)))
        #expect(try harness.receive(token(sequence + 1, ring: ring(4), Corosync2.self), over: 0))
        #expect(harness.send(.node(2)) == RingInterfaces(0))
    }

    @Test func problemsAreForgotten() throws {
        let harness = Harness<Corosync2>(.active)
        for sequence in 1...3 as ClosedRange<UInt32> {
            _ = try harness.receive(token(sequence, ring: ring(4), Corosync2.self), over: 0)
            harness.wait(.milliseconds(238))
        }
        _ = harness.take()
        harness.wait(.seconds(20))
        #expect(harness.take().events == [2, 1, 0].map { .problemForgotten(interface: 1, count: $0) })
        #expect(harness.ring.nextDeadline == nil)
    }

    /// A new ring's tokens begin at 0 again; with a network gone they pass when their time is up, in every ring anew.
    @Test func tokensOfANewRingAreNewTokens() throws {
        let harness = Harness<Corosync2>(.active)
        for sequence in [500, 501] as [UInt32] {
            _ = try harness.receive(token(sequence, ring: ring(4), Corosync2.self), over: 0)
            _ = try harness.receive(token(sequence, ring: ring(4), Corosync2.self), over: 1)
        }
        #expect(try !harness.receive(token(0, ring: ring(8), Corosync2.self), over: 0))
        harness.wait(.milliseconds(238))
        #expect(harness.take().events.contains { if case .token = $0 { true } else { false } })
        // Old tokens that arrive now disturb nothing.
        #expect(try !harness.receive(token(3, ring: ring(8), Corosync2.self), over: 0))
        #expect(try harness.receive(token(501, ring: ring(4), Corosync2.self), over: 1))
        #expect(try harness.receive(token(2, ring: ring(8), Corosync2.self), over: 1))
        #expect(try harness.receive(token(3, ring: ring(8), Corosync2.self), over: 1))
    }

    @Test func tokenNumbersRollOver() throws {
        let harness = Harness<Corosync2>(.active)
        for sequence in [UInt32.max - 1, .max, 0, 1] {
            #expect(try !harness.receive(token(sequence, ring: ring(4), Corosync2.self), over: 0))
            #expect(try harness.receive(token(sequence, ring: ring(4), Corosync2.self), over: 1))
        }
    }

    // MARK: Recovery

    /// Makes the second network faulty.
    private func faulty<Dialect: TotemDialect>(_: Dialect.Type, nodeID: UInt32 = 1) throws -> Harness<Dialect>
    where Dialect.Ring == AddressedRingID {
        let harness = Harness<Dialect>(.passive, nodeID: nodeID)
        _ = harness.send(.node(2))
        for sequence in 0..<11 as Range<UInt32> { _ = try harness.receive(token(sequence, ring: ring(1), Dialect.self), over: 0) }
        #expect(harness.take().events == [.faulty(interface: 1)])
        return harness
    }

    @Test func aFaultyNetworkIsTestedEverySecond() throws {
        let harness = try faulty(Corosync1.self)
        harness.wait(.milliseconds(3500))
        let test = SentTest(test: RingTest(.active, ringNumber: 1, activator: 1), to: RingDestination(interface: 1, node: 2))
        #expect(harness.take().tests == [test, test, test])
    }

    @Test func openaisWaitsForAnAdministrator() throws {
        let harness = try faulty(OpenAIS080.self)
        #expect(harness.ring.nextDeadline == nil)
        // Types 6 and 7 are unknown there; the processor refuses them.
        #expect(try harness.receive(RingTest(.activate, ringNumber: 1, activator: 2), over: 1))
        #expect(harness.ring.isFaulty(1))
        harness.ring.reenable(into: &harness.effects)
        #expect(harness.take().events == [.recovered(interface: 1)])
        #expect(harness.send(.node(2)) != harness.send(.node(2)))
    }

    /// The way of a test: round the ring, then the activation round the ring (totemrrp.c:1880-1922@fl).
    @Test func aTestGoesRoundAndBringsTheNetworkBack() throws {
        let harness = try faulty(Corosync2.self)
        harness.wait(.seconds(1))
        _ = harness.take()
        #expect(try !harness.receive(RingTest(.active, ringNumber: 1, activator: 1), over: 1))
        let activation = SentTest(test: RingTest(.activate, ringNumber: 1, activator: 1), to: RingDestination(interface: 1, node: 2))
        #expect(harness.take().tests == [activation])
        #expect(harness.ring.isFaulty(1))
        #expect(try !harness.receive(RingTest(.activate, ringNumber: 1, activator: 1), over: 1))
        let (events, tests) = harness.take()
        #expect(events == [.recovered(interface: 1)])
        #expect(tests == [])
        harness.wait(.seconds(5))
        #expect(harness.take().tests == [])
        // Both counters begin anew.
        for sequence in 20..<30 as Range<UInt32> { _ = try harness.receive(token(sequence, ring: ring(1), Corosync2.self), over: 0) }
        #expect(harness.take().events == [])
    }

    @Test(arguments: [ByteOrder.little, .big])
    func testsOfOthersGoOnAsTheyCame(byteOrder: ByteOrder) throws {
        for kind in RingTestKind.allCases {
            let harness = try faulty(Corosync2.self)
            let test = RingTest(kind, ringNumber: 1, activator: 3)
            let bytes = try test.bytes(byteOrder: byteOrder)
            #expect(!harness.receive(bytes, over: 1))
            let sent = harness.effects.effects.compactMap { effect -> [UInt8]? in
                if case .transmit(let range, RingDestination(interface: 1, node: 2)) = effect { harness.effects.bytes(range) } else { nil }
            }
            #expect(sent == [bytes])
            #expect(harness.ring.isFaulty(1) == (kind == .active))
        }
    }

    @Test func aProcessorThatIsAloneTestsByItself() throws {
        let harness = try faulty(Corosync2.self)
        harness.ring.membersChanged(to: [1])
        harness.wait(.seconds(1))
        let (events, tests) = harness.take()
        #expect(events == [.recovered(interface: 1)])
        #expect(tests == [])
    }

    @Test func aTestThatIsCutShortIsRefused() throws {
        let harness = try faulty(Corosync2.self)
        let test = RingTest(.active, ringNumber: 1, activator: 3)
        let bytes = try Array(test.bytes().prefix(9))
        #expect(!harness.receive(bytes, over: 1))
        #expect(
            harness.take().events.map { if case .refused(let error, _) = $0 { error.field } else { "" } } == ["nodeid_activator"]
        )
    }

    @Test func withOneNetworkEverythingPasses() throws {
        let harness = Harness<Corosync3>(.none)
        #expect(harness.send(.node(2)) == RingInterfaces(0))
        #expect(harness.receive([1, 2, 3], over: 0))
        #expect(harness.receive([], over: 0))
        #expect(harness.ring.nextDeadline == nil)
    }
}
