import ClusterServices
import Testing
import TotemWire

@Suite struct Synchronisers {
    private let ring = SyncRing(RingID(representative: 1, sequence: 9))

    @Test func servicesThatOnlyOthersHaveTakeTheirTurnToo() {
        var synchroniser = Synchroniser()
        let own = synchroniser.start(ring: ring, members: [1, 2], services: [0, 2])
        #expect(Array(own.services) == [0, 2])
        #expect(synchroniser.current == nil)
        #expect(synchroniser.receive(own, from: 1) == .waiting)
        #expect(synchroniser.current == nil)
        #expect(synchroniser.receive(SyncServiceBuild(ring, services: [1, 2, 77], of: .corosync3), from: 2) == .waiting)
        var turns: [Int32] = []
        var progress: [Synchroniser.Progress] = []
        for _ in 0..<4 {
            guard let service = synchroniser.current, let barrier = synchroniser.finishService() else { break }
            #expect(synchroniser.current == nil)
            turns.append(service)
            #expect(synchroniser.receive(barrier, from: 2) == .waiting)
            progress.append(synchroniser.receive(barrier, from: 1))
        }
        #expect(turns == [0, 1, 2, 77])
        #expect(progress == [.activate(service: 0), .activate(service: 1), .activate(service: 2), .activateLast(service: 77)])
    }

    @Test func aRingWithoutServicesIsSynchronisedAtOnce() {
        var synchroniser = Synchroniser()
        let own = synchroniser.start(ring: ring, members: [1], services: [])
        #expect(synchroniser.receive(own, from: 1) == .nothingToDo)
    }

    @Test func whatAnotherRingSaidDoesNotCount() {
        var synchroniser = Synchroniser()
        let old = SyncRing(RingID(representative: 1, sequence: 5))
        let own = synchroniser.start(ring: ring, members: [1], services: [2])
        #expect(synchroniser.receive(SyncServiceBuild(old, services: [2], of: .corosync3), from: 1) == .waiting)
        #expect(synchroniser.current == nil)
        #expect(synchroniser.receive(own, from: 1) == .waiting)
        #expect(synchroniser.receive(SyncBarrier(old, of: .corosync3), from: 1) == .waiting)
        #expect(synchroniser.current == 2)
        synchroniser.abort()
        #expect(synchroniser.receive(SyncBarrier(ring, of: .corosync3), from: 1) == .waiting)
        #expect(synchroniser.current == nil)
    }

    @Test func aStrangerAndARepetitionDoNotStandInForAMember() {
        var synchroniser = Synchroniser()
        let own = synchroniser.start(ring: ring, members: [1, 2], services: [2])
        _ = synchroniser.receive(own, from: 1)
        _ = synchroniser.receive(own, from: 1)
        _ = synchroniser.receive(own, from: 3)
        #expect(synchroniser.current == nil)
        _ = synchroniser.receive(own, from: 2)
        #expect(synchroniser.current == 2)
    }
}
