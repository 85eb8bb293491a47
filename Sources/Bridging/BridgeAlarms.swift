import EngineKit

/// Counting and telling.
extension Bridge {
    /// What makes two alarms the same alarm.
    enum AlarmKey: Sendable, Hashable {
        case doubleIdentity(UInt32)
        case addressRefused(UInt32, SideID)
        case unknownNode(UInt32, SideID)
        case proxyLost(UInt32, SideID)
        case refused(Refusal, SideID)
        case acknowledgedEarly(SideID)

        init(_ alarm: BridgeAlarm) {
            self =
                switch alarm {
                case .doubleIdentity(let node, _): .doubleIdentity(node)
                case .addressRefused(let node, let side, _): .addressRefused(node, side)
                case .unknownNode(let node, let side): .unknownNode(node, side)
                case .proxyLost(let node, let side, _): .proxyLost(node, side)
                case .refused(let refusal, let side, _, _): .refused(refusal, side)
                case .acknowledgedEarly(let side, _): .acknowledgedEarly(side)
                }
        }
    }

    /// Ids of unknown nodes come from the network: what is remembered of them is bounded.
    private static let longestAlarmMemory = 1024

    mutating func raise(_ alarm: BridgeAlarm, at now: Instant, into actions: inout [BridgeAction]) {
        let key = AlarmKey(alarm)
        if let last = alarmTimes[key], now - last < configuration.limits.alarmInterval { return }
        if alarmTimes.count >= Self.longestAlarmMemory { alarmTimes.removeAll() }
        alarmTimes[key] = now
        actions.append(.alarm(alarm))
    }

    @discardableResult
    mutating func count(_ refusal: Refusal, from side: SideID) -> UInt64 {
        counters.refused[side][refusal, default: 0] += 1
        return counters.refused[side][refusal] ?? 0
    }

    /// Something of native member `node` of `side` is not carried across.
    mutating func refuse(
        _ refusal: Refusal,
        of node: UInt32,
        from side: SideID,
        at now: Instant,
        into actions: inout [BridgeAction]
    ) {
        let count = count(refusal, from: side)
        raise(.refused(refusal, side: side, node: node, count: count), at: now, into: &actions)
    }

    /// What there is to see at `now`.
    public func status(at now: Instant) -> BridgeStatus {
        let sides = PerSide(first: status(of: .first, at: now), second: status(of: .second, at: now))
        func members(_ side: SideID) -> Set<UInt32> {
            Set(natives[side].keys).union(proxies[side].filter { $0.value.state == .member }.keys)
        }
        return BridgeStatus(
            sides: sides,
            counters: counters,
            doubleIdentities: natives.first.keys.filter { natives.second[$0] != nil }.sorted(),
            isStopping: isStopping,
            isConverged: members(.first) == members(.second)
        )
    }

    private func status(of side: SideID, at now: Instant) -> BridgeStatus.Side {
        BridgeStatus.Side(
            name: configuration.traits[side].name,
            isOperational: isOperational[side],
            quorum: quorum[side],
            natives: natives[side].values.sorted { $0.id < $1.id },
            proxies: proxies[side].sorted { $0.key < $1.key }.map { node, proxy in
                BridgeStatus.Proxy(
                    node: node,
                    phase: proxy.phase,
                    holdsAddress: proxy.holdsAddress,
                    failures: proxy.failures,
                    lastLoss: proxy.lastLoss,
                    addressHolder: proxy.addressHolder
                )
            },
            queues: queues[side].sorted { $0.key < $1.key }.compactMap { sender, queue in
                guard let oldest = queue.oldest else { return nil }
                return BridgeStatus.Queue(sender: sender, messages: queue.count, bytes: queue.bytes, oldest: now - oldest)
            },
            listeners: listeners[side]
        )
    }
}
