import Bridging
import EngineKit

/// Two sides that behave at random within what sides may do, a bridge between them, and a record of what happened.
///
/// On the first side a native member sends its next message when the last one was acknowledged; on the second side members send in
/// bursts and wait for nothing. Every payload is the sender's own running number, so that order, loss and repetition show.
struct ScriptedCluster {
    enum Event {
        case report(SideReport, SideID)
        case complete(UInt32, SideID)
        case send(UInt32, SideID)
        case down(UInt32, SideID)
        case up(UInt32, SideID)
        case operational(Bool, SideID)
        case expel(UInt32, SideID)
    }

    var bridge: Bridge
    var random: RandomSource
    var now = Instant.zero
    private var events: [(time: Instant, order: Int, event: Event)] = []
    private var scheduled = 0

    private(set) var natives = PerSide<Set<UInt32>>(both: [])
    private var members = PerSide<Set<UInt32>>(both: [])
    private var isOperational = PerSide<Bool>(both: true)
    /// What each proxy was given and has not settled, in order.
    private var underWay = PerSide<[UInt32: [(message: SideMessage, tag: SendTag)]]>(both: [:])
    private var numbers: [UInt32: UInt32] = [:]
    private var remaining: [UInt32: Int] = [:]
    private var waiting: [UInt32: (receipt: Receipt, since: Instant)] = [:]
    private var receipts: UInt64 = 0
    private var acknowledged: Set<Receipt> = []
    var isQuiet = false

    /// What arrived on a side, in order.
    private(set) var delivered = PerSide<[SideMessage]>(both: [])
    private(set) var accepted = PerSide<UInt64>(both: 0)
    private(set) var longestWait = Interval.zero
    private(set) var violations: [String] = []

    init(seed: UInt64) {
        random = RandomSource(seed: seed)
        bridge = Bridge(configuration: BridgeBench.configuration())
        for node: UInt32 in 1...3 { schedule(.up(node, .first), in: .zero) }
        for node: UInt32 in 4...6 { schedule(.up(node, .second), in: .milliseconds(Int64.random(in: 0...3000, using: &random))) }
        for node: UInt32 in 1...6 { remaining[node] = 400 }
        for side in SideID.allCases { schedule(.report(.operational(true), side), in: .zero) }
    }

    private mutating func schedule(_ event: Event, in interval: Interval) {
        scheduled += 1
        events.append((now + interval, scheduled, event))
    }

    private mutating func milliseconds(_ range: ClosedRange<Int64>) -> Interval {
        .milliseconds(Int64.random(in: range, using: &random))
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    /// Runs until `end` with faults, then without, until nothing is left to happen.
    mutating func run(faultsUntil end: Instant, until limit: Instant) {
        while now < limit {
            let next = events.indices.min { (events[$0].time, events[$0].order) < (events[$1].time, events[$1].order) }
            let deadline = bridge.nextDeadline
            guard next != nil || deadline != nil else { return }
            if let deadline, next.map({ deadline <= events[$0].time }) ?? true {
                now = max(now, deadline)
                perform { bridge, actions, now in bridge.advance(to: now, into: &actions) }
                continue
            }
            guard let next else { return }
            let (time, _, event) = events.remove(at: next)
            now = max(now, time)
            isQuiet = now >= end
            handle(event)
        }
        violations.append("not at rest at \(now): \(bridge.status(at: now)) \(events)")
    }

    private mutating func report(_ report: SideReport, _ side: SideID) {
        perform { bridge, actions, now in bridge.take(report, from: side, at: now, into: &actions) }
    }

    private mutating func perform(_ body: (inout Bridge, inout [BridgeAction], Instant) -> Void) {
        var actions: [BridgeAction] = []
        body(&bridge, &actions, now)
        for action in actions {
            switch action {
            case .order(let order, let side): carryOut(order, side)
            case .acquireAddress(let node, let side):
                var held: [BridgeAction] = []
                bridge.addressHeld(node, on: side, at: now, into: &held)
                for case .order(let order, let side) in held { carryOut(order, side) }
            case .releaseAddress, .alarm, .note: break
            }
        }
    }

    private mutating func carryOut(_ order: SideOrder, _ side: SideID) {
        switch order {
        case .admit(let identity):
            if natives[side].contains(identity.id) { violations.append("proxy \(identity.id) beside its native") }
            let joining = milliseconds(1...200)
            schedule(.report(.proxy(identity.id, .joining), side), in: joining)
            let fails = !isQuiet && chance(20)
            schedule(
                .report(.proxy(identity.id, fails ? .gone(.joinFailed("")) : .member), side),
                in: joining + milliseconds(1...3000)
            )
        case .withdraw(let node, _):
            if isQuiet || !chance(10) { schedule(.report(.proxy(node, .gone(.withdrawn)), side), in: milliseconds(0...300)) }
        case .drop(let node):
            schedule(.report(.proxy(node, .gone(.withdrawn)), side), in: .zero)
        case .send(let message, let tag):
            if !members[side].contains(message.source) { violations.append("sent through \(message.source), no member") }
            underWay[side][message.source, default: []].append((message, tag))
            schedule(.complete(message.source, side), in: .microseconds(Int64.random(in: 50...20_000, using: &random)))
        case .acknowledge(let receipt):
            if !acknowledged.insert(receipt).inserted { violations.append("acknowledged twice: \(receipt)") }
            // The sender may have gone.
            guard let node = waiting.first(where: { $0.value.receipt == receipt })?.key, let since = waiting[node]?.since else { return }
            waiting[node] = nil
            longestWait = max(longestWait, now - since)
            if natives.first.contains(node) { schedule(.send(node, .first), in: .microseconds(200)) }
        case .openPort, .closePort, .kill, .setVotes, .setExpectedVotes: break
        }
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .report(let value, let side):
            if case .proxy(let node, .member) = value { members[side].insert(node) }
            if case .proxy(let node, .gone) = value {
                members[side].remove(node)
                resolveSends(of: node, side)
                forgetReports(of: node, side)
            }
            report(value, side)
        case .complete(let node, let side):
            complete(node, side)
        case .send(let node, let side):
            send(node, side)
        case .down(let node, let side):
            guard natives[side].remove(node) != nil else { return }
            waiting[node] = nil
            report(.memberDown(node, chance(50) ? .left : .died), side)
            schedule(.up(node, chance(50) ? side : side.other), in: milliseconds(500...20_000))
        case .up(let node, let side):
            // A host waits until the bridge has given its address back.
            guard !members[side].contains(node), !natives.first.contains(node), !natives.second.contains(node) else {
                return schedule(.up(node, side), in: .milliseconds(100))
            }
            if bridge.status(at: now).sides[side].proxies.contains(where: { $0.node == node }) {
                return schedule(.up(node, side), in: .milliseconds(100))
            }
            natives[side].insert(node)
            report(.memberUp(SideMember(id: node, votes: 1)), side)
            schedule(.send(node, side), in: milliseconds(0...2000))
            guard !isQuiet else { return }
            if chance(60) { schedule(.down(node, side), in: milliseconds(3000...40_000)) }
            schedule(.expel(node, side.other), in: milliseconds(2000...60_000))
            if isOperational[side], chance(50) { schedule(.operational(false, side), in: milliseconds(1000...20_000)) }
        case .operational(let value, let side):
            guard isOperational[side] != value else { return }
            isOperational[side] = value
            report(.operational(value), side)
            if !value { schedule(.operational(true, side), in: milliseconds(10...12_000)) }
        case .expel(let node, let side):
            guard !isQuiet, members[side].remove(node) != nil else { return }
            resolveSends(of: node, side)
            forgetReports(of: node, side)
            report(.proxy(node, .gone(.expelled("test"))), side)
        }
    }

    /// A proxy is gone: what was under way got out all the same, or did not, and nobody will say which.
    private mutating func resolveSends(of node: UInt32, _ side: SideID) {
        for (message, _) in underWay[side].removeValue(forKey: node) ?? [] {
            if chance(50) { return }
            delivered[side].append(message)
        }
    }

    /// A side that has forgotten a proxy says nothing more of it.
    private mutating func forgetReports(of node: UInt32, _ side: SideID) {
        events.removeAll { if case .report(.proxy(node, _), side) = $0.event { true } else { false } }
    }

    private mutating func complete(_ node: UInt32, _ side: SideID) {
        guard underWay[side][node]?.isEmpty == false else { return }
        guard isOperational[side] else { return schedule(.complete(node, side), in: .milliseconds(20)) }
        guard let (message, tag) = underWay[side][node]?.removeFirst() else { return }
        delivered[side].append(message)
        report(.ordered(from: node, tag), side)
    }

    private mutating func send(_ node: UInt32, _ side: SideID) {
        guard natives[side].contains(node), waiting[node] == nil, let left = remaining[node], left > 0 else { return }
        let burst = side == .first ? 1 : min(left, Int.random(in: 1...40, using: &random))
        for _ in 0..<burst {
            remaining[node, default: 0] -= 1
            numbers[node, default: 0] += 1
            let number = numbers[node] ?? 0
            var receipt: Receipt?
            if side == .first {
                receipts += 1
                receipt = Receipt(receipts)
                waiting[node] = (Receipt(receipts), now)
            }
            let targets = natives[side.other].sorted()
            let target = chance(30) ? targets.randomElement(using: &random) ?? 0 : 0
            accepted[side] += 1
            report(
                .message(
                    SideMessage(
                        source: node,
                        target: target,
                        sourcePort: 1,
                        targetPort: 20,
                        payload: [UInt8(number >> 8), UInt8(number & 255)] + [UInt8(target)],
                        receipt: receipt
                    )
                ),
                side
            )
        }
        if side == .second { schedule(.send(node, side), in: milliseconds(1...400)) }
    }
}
