import CmanWire
import EngineKit
import WireFormat

/// From the command to join up to the list of nodes (reference/cman-wire.md 5.2 to 5.4).
extension CmanNode {
    /// Begins to listen for a cluster. What the node knew of an earlier membership is forgotten; its running number goes on.
    public mutating func join(at now: Instant, into effects: inout CmanEffects) {
        self.now = now
        switch role {
        case .idle, .rejected, .left: break
        default: return
        }
        for record in table.records where !record.isSelf && record.lastAcknowledgeable != 0 {
            restoredSequences[record.id] = record.lastAcknowledgeable
        }
        table = NodeTable(own: Self.ownRecord(configuration, ownAddresses))
        transition = TransitionRecord()
        currentGeneration = 1
        quorumNow = Self.noQuorum
        configVersion = configuration.configVersion
        newClusterValue = UInt32(truncatingIfNeeded: random.next())
        lastAdmission = nil
        joinList.removeAll()
        listen(into: &effects)
    }

    /// Gives up an attempt to join that failed half-way, and listens again.
    mutating func joinAgain(into effects: inout CmanEffects) {
        timers.removeAll()
        discardOutgoing(into: &effects)
        abortServices(into: &effects)
        pendingDeaths.removeAll()
        while deferred.removeFirst() != nil {}
        role = .idle
        join(at: now, into: &effects)
    }

    private var isFounder: Bool { configuration.mayFormCluster }

    /// The step in which a starting node looks at the time.
    private var announcementPeriod: Interval {
        let fifth = configuration.timers.joinWait / 5
        return rules.countsWholeSeconds ? Interval.seconds(max(1, fifth.nanoseconds / 1_000_000_000)) : fifth
    }

    /// A wait that is looked at in steps lasts whole steps.
    private func wait(_ interval: Interval) -> Interval {
        guard rules.countsWholeSeconds else { return interval }
        let step = announcementPeriod.nanoseconds
        return Interval(nanoseconds: (interval.nanoseconds + step - 1) / step * step)
    }

    private mutating func listen(into effects: inout CmanEffects) {
        startListening(for: wait(configuration.timers.joinWait), into: &effects)
    }

    private mutating func startListening(for interval: Interval, into effects: inout CmanEffects) {
        timers[.announcement] = nil
        timers[.membership] = isFounder ? now + interval : nil
        change(to: .starting, into: &effects)
    }

    mutating func membershipTimeout(into effects: inout CmanEffects) {
        switch role {
        case .starting:
            newClusterPhase(into: &effects)
        case .newCluster:
            timers[.announcement] = nil
            if rules.announcesWhenForming {
                table.setOwnID(configuration.wantedNodeID == 0 ? 1 : configuration.wantedNodeID)
                sendNewCluster(into: &effects)
            }
            formCluster(into: &effects)
        case .joining, .joinAck:
            timers[.membership] = now + configuration.timers.joinWait
            change(to: .joinWait, into: &effects)
        case .joinWait:
            if rules.joinsPersistently {
                listen(into: &effects)
            } else {
                become(.left, reason: .down, into: &effects)
            }
        default: break
        }
    }

    private mutating func newClusterPhase(into effects: inout CmanEffects) {
        let until = now + wait(configuration.timers.newCluster)
        timers[.membership] = until
        change(to: .newCluster(until: until), into: &effects)
        announceNewCluster(into: &effects)
    }

    mutating func announceNewCluster(into effects: inout CmanEffects) {
        guard case .newCluster(let until) = role else { return }
        sendNewCluster(into: &effects)
        let next = now + announcementPeriod
        timers[.announcement] = next < until ? next : nil
    }

    private mutating func sendNewCluster(into effects: inout CmanEffects) {
        var message = CmanNewCluster()
        message.value = newClusterValue
        send(.newCluster(message), to: .everyone, flags: .noAck, into: &effects)
    }

    private mutating func formCluster(into effects: inout CmanEffects) {
        table.setOwnID(configuration.wantedNodeID == 0 ? 1 : configuration.wantedNodeID)
        table[0].state = .member
        timers[.membership] = nil
        change(to: .member, into: &effects)
        transitionEnded = now
        recalculateQuorum(allowDecrease: false, into: &effects)
        reportNewMembers(into: &effects)
        effects.report(.transitionEnded(generation: currentGeneration))
        sendHello(into: &effects)
        startHellos()
    }

    mutating func receiveNewCluster(_ message: CmanNewCluster, from sender: Sender, into effects: inout CmanEffects) {
        switch role {
        case .starting where isFounder:
            // A number made from the name, so that several nodes do not come back at the same moment.
            let sum = configuration.nodeName.utf8.reduce(0) { $0 + Int64(Int8(bitPattern: $1)) }
            let second = rules.countsWholeSeconds ? Interval.seconds(1) : configuration.timers.newCluster / 16
            let delay = second * ((sum & 15) + 1)
            timers[.membership] = now + delay + wait(configuration.timers.joinWait)
            change(to: .starting, into: &effects)
        case .newCluster where message.value < newClusterValue:
            listen(into: &effects)
        case .member:
            sendHello(into: &effects)
        default: break
        }
    }

    // MARK: Asking

    /// Reports a HELLO heard while no member, and asks its sender to be let in.
    mutating func helloBeforeMembership(_ hello: CmanHello, from sender: Sender, into effects: inout CmanEffects) {
        reportHeard(hello, id: sender.claimedID, from: sender.endpoint, into: &effects)
        if case .joining(let askedAt) = role, rules.joinsPersistently, now - askedAt < configuration.timers.hello / 5 { return }
        sendJoinRequest(to: sender, into: &effects)
        timers[.announcement] = nil
        timers[.membership] = now + configuration.timers.join
        change(to: .joining(askedAt: now), into: &effects)
    }

    mutating func reportHeard(_ hello: CmanHello, id: UInt32, from source: Endpoint, into effects: inout CmanEffects) {
        effects.report(
            .heard(
                id: id,
                from: source,
                members: hello.members,
                generation: hello.generation,
                isQuorate: hello.flags & CmanHello.quorateFlag != 0
            )
        )
    }

    private mutating func sendJoinRequest(to sender: Sender, into effects: inout CmanEffects) {
        var request = CmanJoinRequest()
        request.votes = table[0].votes
        request.expectedVotes = table[0].expectedVotes
        request.wantedNodeID = configuration.wantedNodeID
        request.major = CmanJoinRequest.majorVersion
        request.minor = CmanJoinRequest.minorVersion
        request.patch = CmanJoinRequest.patchVersion
        request.configVersion = configVersion
        request.addressLength = UInt32(ownAddresses.first?.length ?? CmanSocketAddress.ipv4Length)
        request.clusterName = Array(configuration.clusterName.utf8)
        request.addresses = ownAddresses
        request.nodeName = Array(configuration.nodeName.utf8)
        send(.joinReq(request), to: .address(sender.endpoint), flags: .noAck, into: &effects)
    }

    mutating func receiveJoinAck(_ message: CmanJoinAck, from sender: Sender, into effects: inout CmanEffects) {
        switch role {
        case .joining, .joinWait: break
        case .joinAck(let from) where rules.joinsPersistently && from == sender.endpoint && message.type == CmanJoinAnswer.wait.rawValue:
            break
        default: return
        }
        switch CmanJoinAnswer(rawValue: message.type) {
        case .ok:
            timers[.membership] = now + configuration.timers.join
            change(to: .joinAck(from: sender.endpoint), into: &effects)
        case .nak where !(rules.joinsPersistently && sender.arrival.viaGroup):
            become(.rejected, reason: .rejected, into: &effects)
        case .nak, .wait:
            // A daemon says NAK to everybody when a node asks that it still takes for a member (reference/cman-wire.md 5.6): that passes,
            // and may be another node's.
            timers[.membership] = now + configuration.timers.joinWait
            change(to: .joinWait, into: &effects)
        case nil:
            effects.report(.refused(.unexpected(message: "joinack", detail: "type \(message.type)", from: sender.endpoint)))
        }
    }

    // MARK: Being let in

    mutating func receiveJoinConf(_ list: CmanNodeList, from sender: Sender, into effects: inout CmanEffects) {
        switch role {
        case .joinAck: break
        // A master that was nominated goes on with the joiner of one that backed down and said WAIT. Not to hear it costs 15 s.
        case .joining where rules.joinsPersistently, .joinWait where rules.joinsPersistently: break
        case .client(master: nil, _) where rules.joinsPersistently:
            // The confirmation was lost.
            if list.sequenceFlags & CmanNodeList.lastFlag != 0 { confirm(to: sender, into: &effects) }
            return
        default: return
        }
        var entries = list.entries
        var isWhole = list.sequenceFlags & CmanNodeList.lastFlag != 0
        if rules.joinsPersistently {
            guard let all = joinList.add(list, sequence: sender.sequence, from: sender.endpoint) else { return }
            joinList.removeAll()
            entries = all
            isWhole = true
            table = NodeTable(own: Self.ownRecord(configuration, ownAddresses))
        }
        for entry in entries {
            guard addKnownNode(entry) else {
                effects.report(.refused(.unexpected(message: "joinconf", detail: "a node is listed twice", from: sender.endpoint)))
                if rules.joinsPersistently { joinAgain(into: &effects) } else { become(.left, reason: .panic, into: &effects) }
                return
            }
        }
        guard isWhole else { return }
        table[0].state = .member
        timers[.membership] = nil
        transition.joiner = nil
        change(to: .client(master: nil, view: ViewComparison()), into: &effects)
        effects.report(.transitionBegan)
        if rules.joinsPersistently { timers[.transition] = now + configuration.timers.transition }
        confirm(to: sender, into: &effects)
        startHellos()
    }

    private mutating func confirm(to sender: Sender, into effects: inout CmanEffects) {
        guard let target = answerTarget(sender) else { return }
        send(.confAck, to: target, flags: .noAck, into: &effects)
    }

    private mutating func addKnownNode(_ entry: CmanNodeEntry) -> Bool {
        guard table.index(ofName: entry.name) == nil, (1...NodeTable.highestID).contains(entry.nodeID),
            table.index(ofID: entry.nodeID) == nil
        else { return false }
        table.add(
            NodeRecord(
                id: entry.nodeID,
                name: entry.name,
                votes: entry.votes,
                expectedVotes: entry.expectedVotes,
                state: entry.state == CmanMember.State.member.rawValue ? .member : .dead,
                addresses: entry.addresses,
                endpoints: entry.addresses.map(\.endpoint),
                lastHello: now,
                lastReceived: restoredSequences[entry.nodeID] ?? 0,
                lastAcknowledgeable: restoredSequences[entry.nodeID] ?? 0,
                // Whoever restored it acknowledged it in the life before.
                lastAnswered: restoredSequences[entry.nodeID] ?? 0
            )
        )
        return true
    }
}
