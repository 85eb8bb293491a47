import Bridging
import EngineKit
import Testing

@Suite struct MessageTests {
    private func message(_ source: UInt32, _ target: UInt32 = 0, port: UInt8 = 11, _ payload: [UInt8] = [1], receipt: UInt64? = nil)
        -> SideMessage
    {
        SideMessage(
            source: source,
            target: target,
            sourcePort: 7,
            targetPort: port,
            payload: payload,
            receipt: receipt.map { Receipt($0) }
        )
    }

    private func tags(_ orders: [SideOrder]) -> [SendTag] {
        orders.compactMap { if case .send(_, let tag) = $0 { tag } else { nil } }
    }

    @Test func anAcknowledgementMeansOrdered() throws {
        var bench = BridgeBench.upgrading()
        bench.report(.message(message(1, receipt: 9)), from: .first)
        let orders = bench.orders(to: .second)
        let tag = try #require(tags(orders).first)
        #expect(orders == [.send(message(1), tag)])
        bench.advance(by: .milliseconds(2400))
        #expect(bench.orders(to: .first).isEmpty)
        bench.report(.ordered(from: 1, tag), from: .second)
        #expect(bench.orders(to: .first) == [.acknowledge(Receipt(9))])
        bench.advance(by: .seconds(10))
        #expect(bench.orders(to: .first).isEmpty)
        #expect(bench.bridge.status(at: bench.now).counters.carried.first == 1)
        #expect(bench.bridge.status(at: bench.now).counters.acknowledgedEarly.first == 0)
    }

    @Test func aRingThatReformsHoldsNoAcknowledgementLongerThanPromised() throws {
        var bench = BridgeBench.upgrading()
        bench.report(.operational(false), from: .second)
        bench.report(.message(message(1, 0, [1], receipt: 1)), from: .first)
        bench.advance(by: .milliseconds(2499))
        #expect(bench.orders(to: .first).isEmpty)
        bench.advance(by: .milliseconds(1))
        #expect(bench.orders(to: .first) == [.acknowledge(Receipt(1))])
        #expect(bench.bridge.status(at: bench.now).counters.acknowledgedEarly.first == 1)
        // The next one of the same sender waits behind it, and both go out first in the next ring.
        bench.report(.message(message(1, 0, [2], receipt: 2)), from: .first)
        bench.report(.operational(true), from: .second)
        let orders = bench.orders(to: .second)
        let sent = tags(orders)
        #expect(orders == [.send(message(1, 0, [1]), sent[0]), .send(message(1, 0, [2]), sent[1])])
        bench.report(.ordered(from: 1, sent[0]), from: .second)
        #expect(bench.orders(to: .first).isEmpty)
        bench.report(.ordered(from: 1, sent[1]), from: .second)
        #expect(bench.orders(to: .first) == [.acknowledge(Receipt(2))])
    }

    @Test func whatCannotBeCarriedIsRefusedCountedAndAcknowledged() {
        var bench = BridgeBench(configuration: BridgeBench.configuration(ports: [11]))
        bench.memberUp(1, on: .first)
        let cases: [(SideMessage, Refusal)] = [
            (message(1, 0, port: 12, receipt: 1), .unmappedPort),
            (message(1, 5, receipt: 2), .noSuchTarget),
            (message(1, 0, [UInt8](repeating: 0, count: 1481), receipt: 3), .tooLarge),
            (message(2, receipt: 4), .sourceNotMember),
            (message(99, receipt: 5), .unknownNode),
        ]
        for (message, refusal) in cases {
            _ = bench.take()
            bench.report(.message(message), from: .first)
            let actions = bench.take()
            #expect(actions.contains { if case .order(.acknowledge, on: .first) = $0 { true } else { false } }, "\(refusal)")
            #expect(bench.bridge.status(at: bench.now).counters.refused.first[refusal] == 1, "\(refusal)")
        }
    }

    @Test func aFullQueueRefuses() {
        var configuration = BridgeBench.configuration()
        configuration.limits.queueMessages = 3
        var bench = BridgeBench(configuration: configuration)
        bench.memberUp(1, on: .first)
        bench.memberUp(4, on: .second)
        _ = bench.take()
        for receipt: UInt64 in 1...5 { bench.report(.message(message(1, receipt: receipt)), from: .first) }
        let status = bench.bridge.status(at: bench.now)
        #expect(status.sides.second.queues.map(\.messages) == [3])
        #expect(status.counters.refused.first[.queueFull] == 2)
        #expect(bench.orders(to: .first) == [.acknowledge(Receipt(4)), .acknowledge(Receipt(5))])
    }

    @Test func aFullStoreRefuses() {
        var configuration = BridgeBench.configuration()
        configuration.limits.queueBytes = 2500
        var bench = BridgeBench(configuration: configuration)
        for node: UInt32 in 1...3 { bench.memberUp(node, on: .first) }
        bench.memberUp(4, on: .second)
        for node: UInt32 in 1...3 { bench.report(.message(message(node, 0, [UInt8](repeating: 1, count: 1000))), from: .first) }
        let status = bench.bridge.status(at: bench.now)
        #expect(status.counters.refused.first[.queueFull] == 1)
        #expect(status.sides.second.queues.map(\.bytes) == [1000, 1000])
    }

    @Test func noMoreThanTheWindowIsUnderWay() {
        var bench = BridgeBench.upgrading()
        for index: UInt8 in 0..<10 { bench.report(.message(message(3, 0, [index])), from: .second) }
        var payloads: [[UInt8]] = []
        var sent: [SendTag] = []
        for _ in 0..<10 {
            for order in bench.orders(to: .first) {
                guard case .send(let message, let tag) = order else { continue }
                payloads.append(message.payload)
                sent.append(tag)
            }
            #expect(sent.count <= 2)
            bench.report(.ordered(from: 3, sent.removeFirst()), from: .first)
        }
        #expect(payloads == (0..<10).map { [$0] })
    }

    @Test func aMessageBetweenNativesOfOneSideIsLeftAlone() {
        var bench = BridgeBench.upgrading()
        bench.report(.message(message(3, 4)), from: .second)
        #expect(bench.orders(to: .first).isEmpty)
        #expect(bench.bridge.status(at: bench.now).counters.refused.second.isEmpty)
        #expect(bench.bridge.status(at: bench.now).counters.withoutRecipient.second == 1)
    }

    @Test func whatNobodyListensToIsCarriedAndCounted() {
        var bench = BridgeBench.upgrading()
        bench.report(.message(message(3)), from: .second)
        #expect(bench.bridge.status(at: bench.now).counters.withoutListener == PerSide(first: 0, second: 1))
        bench.report(.listening(node: 1, port: 11, true), from: .first)
        bench.report(.message(message(3)), from: .second)
        bench.report(.message(message(3, 1)), from: .second)
        #expect(bench.bridge.status(at: bench.now).counters.withoutListener == PerSide(first: 0, second: 1))
        bench.report(.message(message(3, 2)), from: .second)
        #expect(bench.bridge.status(at: bench.now).counters.withoutListener == PerSide(first: 0, second: 2))
    }

    @Test func theLastMessagesOfANodeThatLeavesArriveBeforeItsProxyGoes() {
        var bench = BridgeBench.upgrading()
        for index: UInt8 in 0..<4 { bench.report(.message(message(3, 0, [index])), from: .second) }
        bench.report(.memberDown(3, .left), from: .second)
        var delivered: [[UInt8]] = []
        var pending = bench.orders(to: .first)
        while !pending.isEmpty {
            var next: [SideOrder] = []
            for order in pending {
                switch order {
                case .send(let message, let tag):
                    delivered.append(message.payload)
                    bench.report(.ordered(from: 3, tag), from: .first)
                case .withdraw(3, let departure):
                    #expect(departure == .left)
                    #expect(delivered.count == 4)
                default: Issue.record("unexpected \(order)")
                }
                next += bench.orders(to: .first)
            }
            pending = next
        }
        #expect(delivered.count == 4)
        #expect(bench.phase(3, on: .first) == .leaving)
    }

    @Test func aQueueThatCannotDrainIsGivenUpAndCounted() {
        var bench = BridgeBench.upgrading()
        bench.report(.operational(false), from: .second)
        bench.report(.message(message(1, receipt: 1)), from: .first)
        bench.report(.memberDown(1, .left), from: .first)
        #expect(bench.phase(1, on: .second) == .draining)
        bench.advance(by: .seconds(15))
        #expect(bench.phase(1, on: .second) == .leaving)
        #expect(bench.bridge.status(at: bench.now).counters.refused.first[.senderGone] == 1)
    }

    @Test func whatWasUnderWayWhenAProxyWasLostIsNotRepeated() throws {
        var bench = BridgeBench.upgrading()
        for index: UInt8 in 0..<5 { bench.report(.message(message(3, 0, [index])), from: .second) }
        #expect(tags(bench.orders(to: .first)).count == 2)
        bench.report(.proxy(3, .gone(.expelled("no response"))), from: .first)
        #expect(bench.bridge.status(at: bench.now).counters.refused.second[.proxyLost] == 2)
        bench.advance(by: .seconds(11))
        bench.join(3, on: .first)
        let payloads = bench.orders(to: .first).compactMap { order -> [UInt8]? in
            if case .send(let message, _) = order { message.payload } else { nil }
        }
        #expect(payloads == [[2], [3]])
    }

    @Test func aTargetThatGoesWhileItsMessageWaitsIsRefused() {
        var bench = BridgeBench.upgrading()
        bench.report(.operational(false), from: .first)
        bench.report(.message(message(3, 1)), from: .second)
        bench.report(.memberDown(1, .died), from: .first)
        bench.report(.operational(true), from: .first)
        #expect(tags(bench.orders(to: .first)).isEmpty)
        #expect(bench.bridge.status(at: bench.now).counters.refused.second[.noSuchTarget] == 1)
    }
}
