import ClusterServices
import Testing
import TotemWire

@Suite struct Synchronisers {
    private let ring = RingID(representative: 1, sequence: 9)

    @Test func servicesThatOnlyOthersHaveTakeTheirTurnToo() {
        var synchroniser = Synchroniser()
        let own = synchroniser.start(ring: ring, members: [1, 2], services: [0, 2])
        #expect(Array(own.services) == [0, 2])
        #expect(synchroniser.takeTurn() == nil)
        #expect(synchroniser.receive(own, from: 1) == .waiting)
        #expect(synchroniser.takeTurn() == nil)
        #expect(synchroniser.receive(SyncServiceBuild(ringID: ring, services: [1, 2, 77]), from: 2) == .waiting)
        var turns: [Int32] = []
        var progress: [Synchroniser.Progress] = []
        for _ in 0..<4 {
            guard let turn = synchroniser.takeTurn() else { break }
            #expect(synchroniser.takeTurn() == nil)
            turns.append(turn.service)
            #expect(synchroniser.receive(turn.barrier, from: 2) == .waiting)
            progress.append(synchroniser.receive(turn.barrier, from: 1))
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
        let old = RingID(representative: 1, sequence: 5)
        let own = synchroniser.start(ring: ring, members: [1], services: [2])
        #expect(synchroniser.receive(SyncServiceBuild(ringID: old, services: [2]), from: 1) == .waiting)
        #expect(synchroniser.takeTurn() == nil)
        #expect(synchroniser.receive(own, from: 1) == .waiting)
        #expect(synchroniser.receive(SyncBarrier(ringID: old), from: 1) == .waiting)
        #expect(synchroniser.takeTurn()?.service == 2)
        synchroniser.abort()
        #expect(synchroniser.receive(SyncBarrier(ringID: ring), from: 1) == .waiting)
        #expect(synchroniser.takeTurn() == nil)
    }

    @Test func aStrangerAndARepetitionDoNotStandInForAMember() {
        var synchroniser = Synchroniser()
        let own = synchroniser.start(ring: ring, members: [1, 2], services: [2])
        _ = synchroniser.receive(own, from: 1)
        _ = synchroniser.receive(own, from: 1)
        _ = synchroniser.receive(own, from: 3)
        #expect(synchroniser.takeTurn() == nil)
        _ = synchroniser.receive(own, from: 2)
        #expect(synchroniser.takeTurn()?.service == 2)
    }

    @Test func theTransitionalMembersAreThoseThatAreStillThere() {
        var synchroniser = Synchroniser()
        synchroniser.saveTransitional([1, 2, 3])
        _ = synchroniser.start(ring: ring, members: [1, 3, 4], services: [2])
        #expect(synchroniser.transitional == [1, 3])
    }
}
