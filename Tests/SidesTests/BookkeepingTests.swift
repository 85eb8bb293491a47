import Bridging
import CmanNode
import CmanWire
import EngineKit
import Sides
import Testing
import TotemNode
import WireFormat

@Suite struct PortMapTests {
    @Test func unlistedPortsHaveTheirOwnGroups() {
        let map = PortMap(entries: [11: .init(group: "clvmd", mapping: .raw), 2: .init(group: "sm", mapping: .cman)])
        #expect(map.entry(for: 11) == .init(group: "clvmd", mapping: .raw))
        #expect(map.entry(for: 12) == .init(group: "cman.12", mapping: .cman))
        #expect(map.entry(for: 2) == nil)
        #expect(map.port(for: "clvmd") == 11)
        #expect(map.port(for: "cman.12") == 12)
        // One name per port: nothing else may stand for it.
        for group in ["cman.11", "cman.2", "cman.012", "cman.256", "cman.", "cman.+5", "sm", ""] { #expect(map.port(for: group) == nil) }
        #expect(map.ports == Set(3...255))
    }

    @Test func onlyListedPortsIfSoTold() {
        let map = PortMap(entries: [11: .init(group: "clvmd", mapping: .raw)], mapsOtherPorts: false)
        #expect(map.ports == [11])
        #expect(map.entry(for: 12) == nil)
        #expect(map.port(for: "cman.12") == nil)
    }
}

@Suite struct ReceivedMessagesTests {
    private func message(_ sequence: UInt16, held: UInt64?) -> CmanUserMessage {
        CmanUserMessage(
            source: 1,
            target: 0,
            sourcePort: 20,
            targetPort: 20,
            sequence: sequence,
            payload: ByteRange(),
            heldAcknowledgement: held.map { CmanTag($0) }
        )
    }

    @Test func everyProxyAcknowledgesWhenTheBridgeDoes() throws {
        var received = ReceivedMessages(restoring: [:])
        guard case .new(let receipt?) = received.receive(message(7, held: 1), by: 3, at: .zero) else { return #expect(Bool(false)) }
        #expect(received.receive(message(7, held: 2), by: 4, at: .zero) == .copy)
        #expect(received.release(receipt).map(\.proxy) == [3, 4])
        #expect(received.release(receipt).isEmpty)
        // Whoever gets it only now need not wait.
        #expect(received.receive(message(7, held: 1), by: 5, at: .zero) == .released)
    }

    @Test func numbersWrap() {
        var received = ReceivedMessages(restoring: [:])
        #expect(received.receive(message(65535, held: 1), by: 3, at: .zero) == .new(Receipt(1)))
        #expect(received.receive(message(1, held: 2), by: 3, at: .zero) == .new(Receipt(2)))
        #expect(received.receive(message(65535, held: 3), by: 4, at: .zero) == .stale)
        // The sender has given up on the first one: nobody acknowledges it any more.
        #expect(received.release(Receipt(1)).isEmpty)
        #expect(received.release(Receipt(2)).map(\.proxy) == [3])
    }

    /// A sender numbers its HELLOs too: two days later the numbers are anywhere, and nothing that it sends is old.
    @Test(arguments: [6, 999, 33_769, 40_000] as [UInt16]) func afterAPauseEveryNumberIsNew(sequence: UInt16) {
        var received = ReceivedMessages(restoring: [:])
        let pause = Instant.zero + .seconds(45 * 3600)
        #expect(received.receive(message(1000, held: 1), by: 3, at: .zero) == .new(Receipt(1)))
        #expect(received.receive(message(sequence, held: 2), by: 4, at: .zero + .milliseconds(5)) == .stale)
        #expect(received.receive(message(sequence, held: 3), by: 3, at: pause) == .new(Receipt(2)))
        #expect(received.receive(message(1000, held: nil), by: 3, at: .zero) == .new(nil))
        #expect(received.receive(message(sequence, held: nil), by: 4, at: .zero + .milliseconds(5)) == .stale)
        #expect(received.receive(message(sequence, held: nil), by: 3, at: pause) == .new(nil))
    }

    @Test func whatAnEarlierProcessTookIsNotTakenAgain() {
        var received = ReceivedMessages(restoring: [1: 500])
        received.forget(1, keepRestored: true)
        #expect(received.receive(message(500, held: 1), by: 3, at: .zero) == .released)
        #expect(received.restored == [1: 500])
        // The sender may have started anew since: a lower number is not old.
        #expect(received.receive(message(3, held: 2), by: 3, at: .zero) == .new(Receipt(1)))
        // From then on the earlier process has nothing to say: a number that comes round again is a new message.
        #expect(received.restored.isEmpty)
    }

    @Test func messagesWithoutAcknowledgementAreReportedOnceToo() {
        var received = ReceivedMessages(restoring: [:])
        #expect(received.receive(message(8, held: nil), by: 3, at: .zero) == .new(nil))
        #expect(received.receive(message(8, held: nil), by: 4, at: .zero) == .stale)
        // It overtook a reliable one.
        #expect(received.receive(message(7, held: 1), by: 3, at: .zero) == .new(Receipt(1)))
        received.forget(1, keepRestored: false)
        #expect(received.receive(message(2, held: nil), by: 3, at: .zero) == .new(nil))
    }
}

@Suite struct OrderedStreamTests {
    private func ring(_ sequence: UInt64) -> TotemRingID { TotemRingID(representative: 1, sequence: sequence) }

    private func configuration(_ sequence: UInt64, transitional: Bool = false) -> TotemMembership {
        TotemMembership(isTransitional: transitional, ring: ring(sequence), members: [1, 2], joined: [], left: [])
    }

    @Test func twoProcessorsAtDifferentPlacesNameMessagesAlike() {
        var ahead = OrderedStream()
        var behind = OrderedStream()
        var reported = ReportedMessages()
        func take(_ stream: inout OrderedStream) -> Bool {
            let (stretch, number) = stream.delivered(20)
            return reported.take(stretch, number)
        }
        for stretch in [0, 1] as [UInt64] {
            ahead.membership(configuration(4 + 4 * stretch, transitional: true))
            #expect(take(&ahead), "in the transitional configuration")
            ahead.membership(configuration(4 + 4 * stretch))
            ahead.synchronised()
            for _ in 0..<3 { #expect(take(&ahead)) }
            behind.membership(configuration(4 + 4 * stretch, transitional: true))
            #expect(!take(&behind))
            behind.membership(configuration(4 + 4 * stretch))
            behind.synchronised()
            for _ in 0..<3 { #expect(!take(&behind)) }
        }
        // The one behind goes ahead.
        #expect(take(&behind))
        #expect(!take(&ahead))
    }

    @Test func aProcessorThatJoinsAGroupLaterCountsFromThere() {
        var member = OrderedStream()
        var joiner = OrderedStream()
        var reported = ReportedMessages()
        func take(_ stream: inout OrderedStream) -> Bool {
            let (stretch, number) = stream.delivered(20)
            return reported.take(stretch, number)
        }
        member.membership(configuration(4))
        joiner.membership(configuration(4))
        member.synchronised()
        joiner.synchronised()
        for _ in 0..<5 { #expect(take(&member)) }
        member.groupChanged(20)
        joiner.groupChanged(20)
        #expect(take(&joiner))
        #expect(!take(&member))
        #expect(take(&member))
        #expect(!take(&joiner))
    }
}

@Suite struct CmanObserverTests {
    private let addresses = [1: [Lab.legacyAddress(1)], 2: [Lab.legacyAddress(2)]] as [UInt32: [Endpoint]]

    @Test func membersAreWhoSaysHello() {
        var observer = CmanObserver(addresses: addresses, timers: CmanTimers())
        let hello = CmanBody.hello(CmanHello())
        let isNew = observer.receive(hello, from: 1, at: .zero)
        let isNewAgain = observer.receive(hello, from: 1, at: .zero)
        #expect(isNew && !isNewAgain)
        #expect(Array(observer.members) == [1])
        // Dead after 21 s, looked at every 5 s.
        #expect(observer.nextDeadline == Instant(nanoseconds: 26_000_000_000))
        let isChanged = observer.advance(to: Instant(nanoseconds: 26_000_000_000))
        #expect(isChanged)
        #expect(observer.members.isEmpty)
        #expect(observer.departures[1] == .died)
    }

    @Test func departuresAreOverheard() {
        var observer = CmanObserver(addresses: addresses, timers: CmanTimers())
        for id in [1, 2] as [UInt32] { _ = observer.receive(.hello(CmanHello()), from: id, at: .zero) }
        var leave = CmanLeave()
        leave.reason = 0x13
        let hasLeft = observer.receive(.leave(leave), from: 1, at: .zero)
        #expect(hasLeft && observer.departures[1] == .removed)
        var down = CmanNodeDown()
        down.nodeID = 2
        down.reason = 7
        let isDown = observer.receive(.nodeDown(down), from: 2, at: .zero)
        #expect(isDown && observer.departures[2] == .died)
        #expect(observer.members.isEmpty)
    }
}
