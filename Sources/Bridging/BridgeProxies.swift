import EngineKit

/// The life of proxies: address, admission, loss, withdrawal.
extension Bridge {
    /// The address that `node` has on `side` is held; answers `acquireAddress`.
    public mutating func addressHeld(_ node: UInt32, on side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        guard var proxy = proxies[side][node], proxy.state == .acquiring else {
            // Wanted no more by the time it was held.
            actions.append(.releaseAddress(node: node, side: side))
            return
        }
        proxy.holdsAddress = true
        proxy.addressHolder = nil
        proxies[side][node] = proxy
        admit(node, on: side, into: &actions)
        noteProxyDeadline()
    }

    /// Somebody, `holder`, has the address that `node` has on `side`; answers `acquireAddress`.
    public mutating func addressRefused(
        _ node: UInt32,
        on side: SideID,
        holder: String,
        at now: Instant,
        into actions: inout [BridgeAction]
    ) {
        guard var proxy = proxies[side][node], proxy.state == .acquiring else { return }
        proxy.addressHolder = holder
        let wait = backoff(configuration.limits.addressRetry, failures: proxy.failures)
        proxy.failures += 1
        proxy.state = .waiting(until: now + wait)
        proxies[side][node] = proxy
        raise(.addressRefused(node: node, side: side, holder: holder), at: now, into: &actions)
        actions.append(.note(.proxy(node, .waiting, side: side)))
        noteProxyDeadline()
    }

    /// A native host, `holder`, uses the address that the bridge holds for `node` on `side`. The native one wins.
    public mutating func addressLost(
        _ node: UInt32,
        on side: SideID,
        holder: String,
        at now: Instant,
        into actions: inout [BridgeAction]
    ) {
        yield(node, on: side, to: holder, at: now, into: &actions)
    }

    mutating func memberUp(_ member: SideMember, on side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        guard natives[side][member.id] == nil else { return memberChanged(member, on: side, into: &actions) }
        guard nodes[member.id] != nil else {
            count(.unknownNode, from: side)
            raise(.unknownNode(member.id, side: side), at: now, into: &actions)
            return
        }
        natives[side][member.id] = member
        actions.append(.note(.memberUp(member, side: side)))
        if natives[side.other][member.id] != nil {
            raise(.doubleIdentity(node: member.id, detail: "a native member of both sides"), at: now, into: &actions)
        }
        // The first native member of a side may let the proxies of all nodes join there.
        if natives[side].count == 1 {
            reconcileAll(at: now, into: &actions)
        } else {
            reconcile(member.id, at: now, into: &actions)
        }
        noteProxyDeadline()
    }

    mutating func memberChanged(_ member: SideMember, on side: SideID, into actions: inout [BridgeAction]) {
        guard let known = natives[side][member.id], known != member else { return }
        let merged = SideMember(id: member.id, name: member.name ?? known.name, votes: member.votes ?? known.votes)
        natives[side][member.id] = merged
        guard let votes = merged.votes, votes != known.votes ?? nodes[member.id]?.votes, proxies[side.other][member.id]?.isMember == true
        else { return }
        actions.append(.order(.setVotes(votes, proxy: member.id), on: side.other))
    }

    mutating func memberDown(
        _ node: UInt32,
        _ departure: Departure,
        on side: SideID,
        at now: Instant,
        into actions: inout [BridgeAction]
    ) {
        guard natives[side].removeValue(forKey: node) != nil else { return }
        listeners[side][node] = nil
        actions.append(.note(.memberDown(node, departure, side: side)))
        if proxies[side.other][node] == nil {
            discardQueue(of: node, on: side.other, at: now, into: &actions)
        } else {
            withdraw(node, departure, on: side.other, at: now, into: &actions)
        }
        // The other way round: a node that was native on both sides may have a proxy here now.
        reconcile(node, at: now, into: &actions)
        noteProxyDeadline()
    }

    mutating func listening(
        _ node: UInt32,
        _ port: UInt8,
        _ isListening: Bool,
        on side: SideID,
        into actions: inout [BridgeAction]
    ) {
        guard natives[side][node] != nil, configuration.ports.contains(port) else { return }
        if isListening {
            guard listeners[side][node, default: []].insert(port).inserted else { return }
        } else {
            guard listeners[side][node]?.remove(port) != nil else { return }
        }
        guard let proxy = proxies[side.other][node] else { return }
        switch proxy.state {
        case .joining, .member, .draining:
            actions.append(.order(isListening ? .openPort(port, proxy: node) : .closePort(port, proxy: node), on: side.other))
        case .acquiring, .leaving, .waiting: break
        }
    }

    mutating func proxyReported(
        _ node: UInt32,
        _ report: ProxyReport,
        on side: SideID,
        at now: Instant,
        into actions: inout [BridgeAction]
    ) {
        guard var proxy = proxies[side][node] else { return }
        switch (report, proxy.state) {
        case (.joining, .member):
            // Out of the membership and asking again by itself.
            proxy.state = .joining
            proxies[side][node] = proxy
            actions.append(.note(.proxy(node, .joining, side: side)))
        case (.member, .joining):
            proxy.state = .member
            proxy.failures = 0
            proxies[side][node] = proxy
            actions.append(.note(.proxy(node, .member, side: side)))
            dispatch(node, to: side, at: now, into: &actions)
        case (.gone(let loss), .joining), (.gone(let loss), .member), (.gone(let loss), .draining):
            lost(node, loss, on: side, at: now, into: &actions)
        case (.gone, .leaving):
            gone(node, on: side, at: now, into: &actions)
        case (.joining, _), (.member, _), (.gone, _): break
        }
        noteProxyDeadline()
    }

    /// Whether `node` has to have a proxy on `side`.
    func isWanted(_ node: UInt32, on side: SideID) -> Bool {
        guard !isStopping, nodes[node] != nil, natives[side.other][node] != nil, natives[side][node] == nil else { return false }
        return configuration.traits[side].proxiesFormAlone || !natives[side].isEmpty || proxies[side][node] != nil
    }

    mutating func reconcileAll(at now: Instant, into actions: inout [BridgeAction]) {
        for node in nodes.keys.sorted() { reconcile(node, at: now, into: &actions) }
        noteProxyDeadline()
    }

    /// Moves the proxies of `node` towards what is wanted.
    mutating func reconcile(_ node: UInt32, at now: Instant, into actions: inout [BridgeAction]) {
        for side in SideID.allCases {
            let isWanted = isWanted(node, on: side)
            if proxies[side][node] == nil {
                if isWanted { acquire(node, on: side, into: &actions) }
            } else if !isWanted {
                withdraw(node, .left, on: side, at: now, into: &actions)
            }
        }
    }

    private mutating func acquire(_ node: UInt32, on side: SideID, into actions: inout [BridgeAction]) {
        proxies[side][node, default: Proxy(state: .acquiring)].state = .acquiring
        actions.append(.note(.proxy(node, .acquiring, side: side)))
        actions.append(.acquireAddress(node: node, side: side))
    }

    private mutating func admit(_ node: UInt32, on side: SideID, into actions: inout [BridgeAction]) {
        guard let configured = nodes[node] else { return }
        let identity = ProxyIdentity(
            id: node,
            name: configured.name,
            votes: natives[side.other][node]?.votes ?? configured.votes,
            openPorts: listeners[side.other][node] ?? []
        )
        proxies[side][node]?.state = .joining
        actions.append(.note(.proxy(node, .joining, side: side)))
        actions.append(.order(.admit(identity), on: side))
    }

    /// Lets the proxy of `node` go, after what it still has to send.
    private mutating func withdraw(
        _ node: UInt32,
        _ departure: Departure,
        on side: SideID,
        at now: Instant,
        into actions: inout [BridgeAction]
    ) {
        guard var proxy = proxies[side][node] else { return }
        switch proxy.state {
        case .acquiring, .waiting:
            forget(node, on: side, at: now, into: &actions)
        case .joining:
            leave(node, departure, on: side, at: now, into: &actions)
        case .member:
            // A native member with the same id cannot wait.
            if queues[side][node]?.isEmpty ?? true || natives[side][node] != nil {
                leave(node, departure, on: side, at: now, into: &actions)
            } else {
                proxy.state = .draining(departure, until: now + configuration.limits.drain)
                proxies[side][node] = proxy
                actions.append(.note(.proxy(node, .draining, side: side)))
            }
        case .draining, .leaving: break
        }
    }

    /// Orders the proxy of `node` to leave at once.
    mutating func leave(
        _ node: UInt32,
        _ departure: Departure,
        on side: SideID,
        at now: Instant,
        into actions: inout [BridgeAction]
    ) {
        proxies[side][node]?.state = .leaving(until: now + configuration.limits.withdraw)
        actions.append(.note(.proxy(node, .leaving, side: side)))
        actions.append(.order(.withdraw(node, departure), on: side))
    }

    /// A proxy went without being told to.
    private mutating func lost(
        _ node: UInt32,
        _ loss: ProxyLoss,
        on side: SideID,
        at now: Instant,
        into actions: inout [BridgeAction]
    ) {
        guard var proxy = proxies[side][node] else { return }
        counters.proxiesLost[side] += 1
        proxy.lastLoss = loss
        raise(.proxyLost(node: node, side: side, loss), at: now, into: &actions)
        failOutstanding(of: node, on: side, at: now, into: &actions)
        guard isWanted(node, on: side) else {
            proxies[side][node] = proxy
            return forget(node, on: side, at: now, into: &actions)
        }
        var wait = backoff(configuration.traits[side].readmission, failures: proxy.failures)
        if loss == .doubleIdentity {
            wait = configuration.limits.longestBackoff
            if proxy.holdsAddress { actions.append(.releaseAddress(node: node, side: side)) }
            proxy.holdsAddress = false
        }
        proxy.failures += 1
        proxy.state = .waiting(until: now + wait)
        proxies[side][node] = proxy
        actions.append(.note(.proxy(node, .waiting, side: side)))
    }

    /// A proxy that was to leave has left.
    private mutating func gone(_ node: UInt32, on side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        failOutstanding(of: node, on: side, at: now, into: &actions)
        guard isWanted(node, on: side), var proxy = proxies[side][node], let notBefore = proxy.notBefore, notBefore > now else {
            return forget(node, on: side, at: now, into: &actions)
        }
        if proxy.holdsAddress { actions.append(.releaseAddress(node: node, side: side)) }
        proxy.holdsAddress = false
        proxy.state = .waiting(until: notBefore)
        proxies[side][node] = proxy
        actions.append(.note(.proxy(node, .waiting, side: side)))
    }

    /// Gives the address back and begins anew if the proxy is wanted again.
    private mutating func forget(_ node: UInt32, on side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        guard let proxy = proxies[side].removeValue(forKey: node) else { return }
        if proxy.holdsAddress || proxy.state == .acquiring { actions.append(.releaseAddress(node: node, side: side)) }
        actions.append(.note(.proxy(node, .absent, side: side)))
        discardQueue(of: node, on: side, at: now, into: &actions)
        if isWanted(node, on: side) { acquire(node, on: side, into: &actions) }
    }

    /// A native host has the id or the address of a proxy: the proxy leaves and stays away for a while.
    mutating func yield(
        _ node: UInt32,
        on side: SideID,
        to holder: String,
        at now: Instant,
        into actions: inout [BridgeAction]
    ) {
        guard var proxy = proxies[side][node] else { return }
        raise(.doubleIdentity(node: node, detail: "\(configuration.traits[side].name): \(holder)"), at: now, into: &actions)
        proxy.notBefore = now + configuration.limits.longestBackoff
        proxy.lastLoss = .doubleIdentity
        proxy.addressHolder = holder
        proxies[side][node] = proxy
        switch proxy.state {
        case .joining, .member, .draining:
            leave(node, .left, on: side, at: now, into: &actions)
        case .acquiring, .leaving, .waiting: break
        }
        noteProxyDeadline()
    }

    /// Something took too long, or a wait is over.
    mutating func proxyOverdue(_ node: UInt32, on side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        guard let proxy = proxies[side][node], let deadline = proxy.deadline, deadline <= now else { return }
        switch proxy.state {
        case .draining(let departure, _):
            discardWaiting(of: node, on: side, at: now, into: &actions)
            leave(node, departure, on: side, at: now, into: &actions)
        case .leaving:
            // Answered by `gone` in the same step; should it not be, the next deadline asks again.
            proxies[side][node]?.state = .leaving(until: now + configuration.limits.withdraw)
            actions.append(.order(.drop(node), on: side))
        case .waiting:
            guard isWanted(node, on: side) else { return forget(node, on: side, at: now, into: &actions) }
            if proxy.holdsAddress {
                admit(node, on: side, into: &actions)
            } else {
                acquire(node, on: side, into: &actions)
            }
        case .acquiring, .joining, .member: break
        }
    }

    mutating func noteProxyDeadline() {
        var earliest: Instant?
        for side in SideID.allCases {
            for proxy in proxies[side].values {
                guard let deadline = proxy.deadline else { continue }
                earliest = earliest.map { min($0, deadline) } ?? deadline
            }
        }
        proxyDeadline = earliest
    }

    private func backoff(_ base: Interval, failures: Int) -> Interval {
        min(configuration.limits.longestBackoff, base * (1 << Int64(min(failures, 10))))
    }
}
