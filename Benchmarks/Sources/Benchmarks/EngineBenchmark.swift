import CmanNode
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// What an engine costs per datagram: two of them hand each other what they send, without a network between them.
enum EngineBenchmark {
    /// Time that passes from one datagram to the next.
    private static let step = Interval.microseconds(100)

    /// Two engines of one kind.
    private struct Pair<Engine: NodeEngine> {
        var engines: [Engine]
        var effects = Effects<Engine.Destination, Engine.Event>()
        var now = Instant(nanoseconds: 1_000_000_000)
        let endpoints: [Endpoint]
        private var waiting: [[UInt8]] = []
        private var spare: [[UInt8]] = []
        private var from: [Int] = []
        private var next = 0

        init(_ engines: [Engine], endpoints: [Endpoint]) {
            self.engines = engines
            self.endpoints = endpoints
        }

        /// Gives one engine a command.
        mutating func command(_ index: Int, _ body: (inout Engine, Instant, inout Effects<Engine.Destination, Engine.Event>) -> Void) {
            body(&engines[index], now, &effects)
            collect(index)
        }

        /// Hands over the next datagram, or lets time pass until a timer is due; whether it was a datagram.
        mutating func advance() -> Bool {
            now = now + EngineBenchmark.step
            guard next < waiting.count else {
                waiting.removeAll(keepingCapacity: true)
                from.removeAll(keepingCapacity: true)
                next = 0
                guard let due = engines.compactMap(\.nextDeadline).min() else { return false }
                now = max(now, due)
                for index in engines.indices {
                    engines[index].advance(to: now, into: &effects)
                    collect(index)
                }
                return false
            }
            let datagram = waiting[next]
            let sender = from[next]
            next += 1
            let receiver = 1 - sender
            datagram.withUnsafeBytes {
                engines[receiver].receive($0, from: endpoints[sender], arrival: Arrival(viaGroup: true), at: now, into: &effects)
            }
            collect(receiver)
            for index in engines.indices where engines[index].nextDeadline.map({ $0 <= now }) ?? false {
                engines[index].advance(to: now, into: &effects)
                collect(index)
            }
            return true
        }

        private mutating func collect(_ index: Int) {
            for effect in effects.effects {
                guard case .transmit(let range, _) = effect else { continue }
                waiting.append(effects.bytes(range))
                from.append(index)
            }
            effects.removeAll()
        }
    }

    private static func endpoint(_ number: UInt32, _ port: UInt16) -> Endpoint { Endpoint(IPAddress(ipv4: 0x0A00_0000 + number), port) }

    static func run(_ report: inout Report) {
        helloInCmanNode(&report)
        tokenInTotemNode(&report)
    }

    /// A member hears another member's HELLO.
    private static func helloInCmanNode(_ report: inout Report) {
        let nodes = [UInt32(1), 2].map { number -> CmanNode in
            var configuration = CmanConfiguration(
                clusterName: "bench",
                nodeName: "node\(number)",
                addresses: [endpoint(number, 6809)]
            )
            configuration.wantedNodeID = number
            configuration.expectedVotes = 2
            return CmanNode(configuration: configuration, seed: UInt64(number))
        }
        var pair = Pair(nodes, endpoints: [endpoint(1, 6809), endpoint(2, 6809)])
        for index in 0..<2 { pair.command(index) { engine, now, effects in engine.join(at: now, into: &effects) } }
        var steps = 0
        while !pair.engines.allSatisfy({ $0.state == .member && $0.quorum.isQuorate }), steps < 10_000 {
            _ = pair.advance()
            steps += 1
        }
        guard steps < 10_000 else { return report.fail("two legacy nodes form no cluster") }
        for _ in 0..<20 { _ = pair.advance() }
        var hello: [UInt8] = []
        var receiver = pair.engines[0]
        var sender = pair.engines[1]
        var effects = Effects<CmanDestination, CmanEvent>()
        while hello.isEmpty, let deadline = sender.nextDeadline {
            sender.advance(to: deadline, into: &effects)
            // HELLO is the only periodic message of a settled member.
            for case .transmit(let range, .group) in effects.effects { hello = effects.bytes(range) }
            effects.removeAll()
        }
        let now = pair.now
        let source = endpoint(2, 6809)
        let measurement = Measurement.of(300_000) { _ in
            hello.withUnsafeBytes { receiver.receive($0, from: source, arrival: Arrival(viaGroup: true), at: now, into: &effects) }
            let count = effects.effects.count
            effects.removeAll()
            return UInt64(count)
        }
        report.note("HELLO received by CmanNode", measurement)
    }

    /// A token goes round a ring of two that carries messages all the time.
    private static func tokenInTotemNode(_ report: inout Report) {
        let nodes = [UInt32(1), 2].map { TotemNode<Corosync3>(configuration: TotemConfiguration(nodeID: $0, nodes: [1, 2]), seed: 0) }
        var pair = Pair(nodes, endpoints: [endpoint(1, 5405), endpoint(2, 5405)])
        for index in 0..<2 { pair.command(index) { engine, now, effects in engine.start(at: now, into: &effects) } }
        var steps = 0
        while !pair.engines.allSatisfy({ $0.state == .operational && $0.members == [1, 2] }), steps < 10_000 {
            _ = pair.advance()
            steps += 1
        }
        guard steps < 10_000 else { return report.fail("two processors form no ring") }
        for index in 0..<2 { pair.command(index) { engine, _, _ in engine.completeSynchronisation() } }
        let payload = [UInt8](repeating: 7, count: 200)
        var isStuck = false
        let measurement = Measurement.of(100_000) { run in
            if run % 8 == 0 {
                pair.command(run / 8 % 2) { engine, now, effects in
                    payload.withUnsafeBytes { try? engine.send($0, group: "bench", at: now, into: &effects) }
                }
            }
            if !pair.advance(), pair.engines[0].state != .operational { isStuck = true }
            return pair.engines[0].counters.messagesDelivered
        }
        if isStuck { report.fail("the ring of the benchmark fell apart") }
        report.note("datagram (token or message) in a busy ring of two TotemNodes, with the copy to hand it over", measurement)
    }
}
