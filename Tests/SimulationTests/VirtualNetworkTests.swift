import EngineKit
import Simulation
import Testing
import WireFormat

@Suite struct VirtualNetworkTests {
    @Test func theGroupReachesAllOthersAndNeverTheSender() {
        let cluster = BeaconCluster(count: 3, seed: 1)
        cluster.run(for: .milliseconds(1050))
        for host in 0..<3 {
            #expect(cluster.heard[host].count == 20)
            #expect(!cluster.heard[host].contains { $0.from == cluster.address(host) })
        }
    }

    @Test func delayLiesWithinTheLinksBounds() {
        let cluster = BeaconCluster(count: 2, seed: 2)
        cluster.network.setProfile(LinkProfile(delay: .milliseconds(3), jitter: .milliseconds(4)))
        let start = cluster.network.now
        cluster.run(for: .seconds(30))
        let delays = cluster.heard[0].map { ($0.time - start).nanoseconds % BeaconEngine.period.nanoseconds }
        #expect(delays.allSatisfy { (3_000_000...7_000_000).contains($0) })
        #expect(Set(delays).count > 100)
    }

    @Test func lossAndDuplicationHappenAsOftenAsTheySay() {
        let cluster = BeaconCluster(count: 2, seed: 3)
        cluster.network.setProfile(LinkProfile(loss: 0.25))
        cluster.run(for: .seconds(400))
        #expect((2800...3200).contains(cluster.heard[0].count))
        cluster.network.setProfile(LinkProfile(duplication: 0.5))
        let before = cluster.heard[0].count
        cluster.run(for: .seconds(400))
        #expect((5800...6200).contains(cluster.heard[0].count - before))
    }

    @Test func jitterLetsDatagramsOvertakeEachOther() {
        let cluster = BeaconCluster(count: 2, seed: 4)
        cluster.network.setProfile(LinkProfile(jitter: .milliseconds(300)))
        cluster.run(for: .seconds(20))
        let numbers = cluster.heard[0].map(\.number)
        #expect(numbers != numbers.sorted())
        #expect(Set(numbers).count == numbers.count)
    }

    @Test func aPartitionMayHoldInOneDirectionOnly() {
        let cluster = BeaconCluster(count: 3, seed: 5)
        cluster.network.apply(.block(from: 0, to: 1))
        // Half a period more, so that nothing is under way when the next fault comes.
        cluster.run(for: .milliseconds(1050))
        #expect(!cluster.heard[1].contains { $0.from == cluster.address(0) })
        #expect(cluster.heard[0].contains { $0.from == cluster.address(1) })
        cluster.network.apply(.isolate(hosts: [2]))
        let before = cluster.heard.map(\.count)
        cluster.run(for: .seconds(1))
        #expect(cluster.heard[2].count == before[2])
        #expect(cluster.heard[0].count > before[0])
        cluster.network.apply(.heal)
        cluster.run(for: .seconds(1))
        #expect(cluster.heard[2].count > before[2])
    }

    @Test func aPausedHostFindsLateTimersAndWhatItsSocketsKept() {
        let cluster = BeaconCluster(count: 2, seed: 6)
        cluster.run(for: .milliseconds(150))
        cluster.network.apply(.pause(host: 0))
        let before = cluster.heard[0].count
        cluster.run(for: .seconds(60))
        #expect(cluster.heard[0].count == before)
        cluster.network.apply(.resume(host: 0))
        let resumed = cluster.network.now
        cluster.run(for: .milliseconds(1))
        #expect(cluster.heard[0].count == before + VirtualNetwork.pausedBacklogLimit)
        #expect(cluster.heard[0].dropFirst(before).allSatisfy { $0.time == resumed })
        #expect(cluster.late == [.milliseconds(59_950)])
    }

    @Test func aCrashedHostHearsNothingAndStartsAnew() {
        let cluster = BeaconCluster(count: 2, seed: 7)
        cluster.run(for: .milliseconds(550))
        cluster.hosts[0].crash()
        let before = cluster.heard.map(\.count)
        cluster.run(for: .seconds(1))
        #expect(cluster.heard.map(\.count) == before)
        cluster.hosts[0].start(BeaconEngine(start: cluster.network.now))
        cluster.network.rearm(0)
        cluster.run(for: .milliseconds(150))
        #expect(cluster.hosts[0].incarnation == 2)
        #expect(cluster.heard[1].last?.number == 1)
    }

    @Test func oneSeedGivesOneHistory() {
        func digest(_ seed: UInt64) -> Digest {
            let cluster = BeaconCluster(count: 4, seed: seed)
            cluster.network.setProfile(LinkProfile(loss: 0.1, duplication: 0.1, jitter: .milliseconds(250)))
            cluster.run(for: .seconds(20))
            return cluster.network.digest
        }
        #expect(digest(8) == digest(8))
        #expect(digest(8) != digest(9))
    }

    @Test func eventsComeInOrderOfTimeAndThenOfScheduling() {
        var random = RandomSource(seed: 10)
        var queue = EventQueue()
        var expected: [(time: Int64, step: Int)] = []
        for step in 0..<2000 {
            let time = Int64(random.below(100))
            expected.append((time, step))
            queue.schedule(.step(step), at: Instant(nanoseconds: time))
        }
        expected.sort { ($0.time, $0.step) < ($1.time, $1.step) }
        for want in expected {
            guard let (time, event) = queue.takeNext(), case .step(let step) = event else {
                Issue.record("the queue is empty too early")
                return
            }
            #expect(time.nanoseconds == want.time && step == want.step)
        }
        #expect(queue.takeNext() == nil)
    }

    @Test func packetStorageIsUsedAgain() {
        var pool = PacketPool()
        let endpoint = BeaconCluster.group
        let first = [UInt8](repeating: 1, count: 64).withUnsafeBytes { pool.store($0, from: endpoint, to: endpoint, viaGroup: true) }
        pool.retain(first)
        pool.retain(first)
        pool.release(first)
        let second = [UInt8](repeating: 2, count: 64).withUnsafeBytes { pool.store($0, from: endpoint, to: endpoint, viaGroup: true) }
        #expect(first != second)
        pool.release(first)
        let third = [UInt8](repeating: 3, count: 8).withUnsafeBytes { pool.store($0, from: endpoint, to: endpoint, viaGroup: true) }
        #expect(third == first)
        #expect(pool[third].bytes == [UInt8](repeating: 3, count: 8))
    }
}
