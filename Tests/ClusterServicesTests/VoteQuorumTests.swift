import ClusterServices
import EngineKit
import Testing
import TotemNode

@Suite struct VoteQuorums {
    @Test func twoOfThreeAreQuorateAndOneIsNot() {
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: 10)
        network.start(1, 2, 3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        network.crash(3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        #expect(network[1]?.quorum?.isQuorate == true)
        #expect(network[1]?.quorum?.totalVotes == 2)
        #expect(network[1]?.quorum?.quorum == 2)
        network.crash(2)
        #expect(network.run(.seconds(30)) { $0.isCluster(1) })
        #expect(network[1]?.quorum?.isQuorate == false)
        #expect(network[1]?.quorum?.quorum == 2)
        // A node that comes back restores quorum for both.
        network.start(2)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        #expect(network[1]?.quorum?.isQuorate == true)
        #expect(network[2]?.quorum?.isQuorate == true)
    }

    @Test func partitionsDisagreeAboutQuorumAndMerge() {
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: 11)
        network.start(1, 2, 3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        network.passes = { ($0 == 1) == ($1 == 1) }
        #expect(network.run(.seconds(30)) { $0.isCluster(1) && $0.isCluster(2, 3) })
        #expect(network[1]?.quorum?.isQuorate == false)
        #expect(network[2]?.quorum?.isQuorate == true)
        network.passes = { _, _ in true }
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        for id in 1...3 as ClosedRange<UInt32> { #expect(network[id]?.quorum?.isQuorate == true) }
    }

    @Test func twoNodesWaitForEachOtherOnceAndThenDoWithout() {
        var network = ClusterNetwork(nodes: [1, 2], seed: 12) { $0.quorum?.twoNode = true }
        network.start(1)
        #expect(network.run(.seconds(30)) { $0.isCluster(1) })
        #expect(network[1]?.quorum?.isQuorate == false)
        network.start(2)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        #expect(network[1]?.quorum?.isQuorate == true)
        #expect(network[2]?.quorum?.isQuorate == true)
        network.crash(2)
        #expect(network.run(.seconds(30)) { $0.isCluster(1) })
        #expect(network[1]?.quorum?.isQuorate == true)
        #expect(network[1]?.quorum?.quorum == 1)
    }

    @Test func withoutWaitForAllOneOfTwoIsEnoughFromTheStart() {
        var network = ClusterNetwork(nodes: [1, 2], seed: 13) {
            $0.quorum?.twoNode = true
            $0.quorum?.waitForAll = false
        }
        network.start(1)
        #expect(network.run(.seconds(30)) { $0.isCluster(1) })
        #expect(network[1]?.quorum?.isQuorate == true)
    }

    @Test func waitForAllHoldsUntilAllHaveBeenThere() {
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: 14) { $0.quorum?.waitForAll = true }
        network.start(1, 2)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        #expect(network[1]?.quorum?.isQuorate == false)
        network.start(3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        #expect(network[1]?.quorum?.isQuorate == true)
        network.crash(3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        #expect(network[1]?.quorum?.isQuorate == true)
    }

    @Test func expectedVotesAreReconfiguredEverywhere() {
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: 15)
        network.start(1, 2)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        var accepted: [Bool] = []
        // Fewer than are present, so many that quorum would be lost, and a sound number.
        for votes in [1, 9, 2] as [UInt32] {
            network.perform(1) { accepted.append($0.reconfigure(expectedVotes: votes, at: $1, into: &$2)) }
        }
        #expect(accepted == [false, false, true])
        network.run(.seconds(1))
        for id in [1, 2] as [UInt32] {
            #expect(network[id]?.quorum?.expectedVotes == 2)
            #expect(network[id]?.quorum?.quorum == 2)
        }
    }

    @Test func votesOfANodeAreReconfiguredEverywhere() {
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: 16)
        network.start(1, 2, 3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        network.perform(1) { #expect($0.reconfigure(votes: 3, of: 2, at: $1, into: &$2)) }
        network.run(.seconds(1))
        for id in [1, 2, 3] as [UInt32] {
            #expect(network[id]?.quorum?.votes == [1: 1, 2: 3, 3: 1])
            #expect(network[id]?.quorum?.totalVotes == 5)
            #expect(network[id]?.quorum?.expectedVotes == 5)
            #expect(network[id]?.quorum?.quorum == 3)
        }
        network.perform(1) { #expect(!$0.reconfigure(votes: 1, of: 9, at: $1, into: &$2)) }
    }

    @Test func allowDownscaleLowersExpectedVotesWhenANodeLeaves() {
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: 17) { $0.quorum?.allowDownscale = true }
        network.start(1, 2, 3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        network.perform(1) { #expect(!$0.reconfigure(expectedVotes: 2, at: $1, into: &$2)) }
        network.perform(3) { $0.leave(at: $1, into: &$2) }
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        #expect(network[1]?.quorum?.isQuorate == true)
    }

    @Test func withoutAProviderThereIsNoQuorum() {
        var network = ClusterNetwork(nodes: [1, 2], seed: 18) { $0.quorum = nil }
        network.start(1, 2)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        #expect(network[1]?.quorum == nil)
    }

    @Test func theLastManStandingKeepsQuorumWhenItsWindowHasPassed() {
        var network = ClusterNetwork(nodes: [1, 2, 3, 4, 5], seed: 19) {
            $0.quorum?.lastManStanding = true
            $0.quorum?.lastManStandingWindow = .seconds(5)
        }
        network.start(1, 2, 3, 4, 5)
        #expect(network.run(.seconds(60)) { $0.isCluster(1, 2, 3, 4, 5) })
        for (dead, rest) in [(5, 4), (4, 3), (3, 2)] as [(UInt32, UInt32)] {
            network.crash(dead)
            #expect(network.run(.seconds(30)) { $0[1]?.isSynchronised == true && $0[1]?.members.count == Int(rest) })
            // Nothing falls before the window has passed.
            #expect(network[1]?.quorum?.expectedVotes == rest + 1)
            network.run(.seconds(6))
            for id in 1...rest {
                #expect(network[id]?.quorum?.expectedVotes == rest)
                #expect(network[id]?.quorum?.quorum == rest / 2 + 1)
                #expect(network[id]?.quorum?.isQuorate == true)
            }
        }
    }

    @Test func aNodeWithSeveralVotesEndsLastManStanding() {
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: 20) {
            $0.quorum?.lastManStanding = true
            $0.quorum?.lastManStandingWindow = .seconds(1)
            if $0.totem.nodeID == 2 { $0.quorum?.votes = 2 }
        }
        network.start(1, 2, 3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        network.crash(3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        network.run(.seconds(5))
        #expect(network[1]?.quorum?.expectedVotes == 4)
    }

    @Test(
        arguments: [
            (.lowest, [1, 2]), (.highest, [3, 4]), (.nodes([3, 1]), [3, 4]), (.nodes([7, 2]), [1, 2]),
        ] as [(VoteQuorumConfiguration.TieBreaker, [UInt32])]
    )
    func oneHalfGoesOn(_ rule: VoteQuorumConfiguration.TieBreaker, _ winners: [UInt32]) {
        var network = ClusterNetwork(nodes: [1, 2, 3, 4], seed: 21) { $0.quorum?.tieBreaker = rule }
        network.start(1, 2, 3, 4)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3, 4) })
        network.passes = { ($0 <= 2) == ($1 <= 2) }
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) && $0.isCluster(3, 4) })
        for id in [1, 2, 3, 4] as [UInt32] { #expect(network[id]?.quorum?.isQuorate == winners.contains(id), "node \(id)") }
        network.passes = { _, _ in true }
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3, 4) })
        for id in [1, 2, 3, 4] as [UInt32] { #expect(network[id]?.quorum?.isQuorate == true) }
    }

    @Test func withoutATieBreakerNoHalfGoesOn() {
        var network = ClusterNetwork(nodes: [1, 2, 3, 4], seed: 22)
        network.start(1, 2, 3, 4)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3, 4) })
        network.passes = { ($0 <= 2) == ($1 <= 2) }
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) && $0.isCluster(3, 4) })
        for id in [1, 2, 3, 4] as [UInt32] { #expect(network[id]?.quorum?.isQuorate == false) }
    }

    @Test func expectedVotesAreTrackedOverARestart() {
        func stored(_ network: ClusterNetwork, _ id: UInt32) -> [UInt32] {
            (network.events[id] ?? []).compactMap { if case .storeExpectedVotes(let votes) = $0 { votes } else { nil } }
        }
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: 23) { $0.quorum?.tracksExpectedVotes = true }
        network.start(1, 2, 3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        #expect(stored(network, 1) == [3])
        // What was stored is a bound below which an administrator's word does not go.
        var later = ClusterNetwork(nodes: [1, 2, 3], seed: 24) {
            $0.quorum?.tracksExpectedVotes = true
            $0.quorum?.storedExpectedVotes = 5
        }
        later.start(1, 2)
        #expect(later.run(.seconds(30)) { $0.isCluster(1, 2) })
        later.perform(1) { #expect($0.reconfigure(expectedVotes: 2, at: $1, into: &$2)) }
        later.run(.seconds(1))
        for id in [1, 2] as [UInt32] { #expect(later[id]?.quorum?.expectedVotes == 5) }
        #expect(stored(later, 1) == [])
    }
}
