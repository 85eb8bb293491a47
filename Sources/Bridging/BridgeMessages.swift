import EngineKit

/// Messages from one side to the other, and their acknowledgements.
extension Bridge {
    /// A native member of `side` sent a message.
    mutating func accept(_ message: SideMessage, from side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        let toward = side.other
        var message = message
        let receipt = message.receipt
        message.receipt = nil
        if let refusal = refusal(of: message, from: side) {
            refuse(refusal, of: message.source, from: side, at: now, into: &actions)
            if let receipt { actions.append(.order(.acknowledge(receipt), on: side)) }
            return
        }
        if natives[toward].isEmpty || (message.target != 0 && natives[toward][message.target] == nil) {
            // To nobody, or between two native members of one side, who have it already.
            counters.withoutRecipient[side] += 1
            if let receipt { actions.append(.order(.acknowledge(receipt), on: side)) }
            return
        }
        if !isHeard(message, on: toward) { counters.withoutListener[side] += 1 }
        if let receipt {
            unacknowledged[side].insert(receipt)
            acknowledgements.append(
                PendingAcknowledgement(deadline: now + configuration.limits.acknowledgeAfter, side: side, receipt: receipt)
            )
        }
        queuedBytes[toward] += message.payload.count
        queues[toward][message.source, default: SendQueue()].append(.init(message: message, receipt: receipt, arrival: now))
        dispatch(message.source, to: toward, at: now, into: &actions)
    }

    private func isHeard(_ message: SideMessage, on side: SideID) -> Bool {
        if message.target != 0 { return listeners[side][message.target]?.contains(message.targetPort) ?? false }
        return listeners[side].values.contains { $0.contains(message.targetPort) }
    }

    private func refusal(of message: SideMessage, from side: SideID) -> Refusal? {
        let toward = side.other
        if nodes[message.source] == nil { return .unknownNode }
        if natives[side][message.source] == nil { return .sourceNotMember }
        if !configuration.ports.contains(message.targetPort) { return .unmappedPort }
        if message.payload.count > configuration.traits[toward].largestPayload { return .tooLarge }
        if message.target != 0, natives[toward][message.target] == nil, natives[side][message.target] == nil { return .noSuchTarget }
        let limits = configuration.limits
        if queuedBytes[toward] + message.payload.count > limits.queueBytes { return .queueFull }
        if queues[toward][message.source]?.count ?? 0 >= limits.queueMessages { return .queueFull }
        return nil
    }

    mutating func dispatchAll(to side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        for sender in queues[side].keys.sorted() { dispatch(sender, to: side, at: now, into: &actions) }
    }

    /// Gives the side as much of `sender`'s queue as it takes now.
    mutating func dispatch(_ sender: UInt32, to side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        guard let proxy = proxies[side][sender], proxy.isMember else { return }
        let window = configuration.traits[side].sendWindow
        // Looks at the queue in place: a second reference to it would make every change copy it.
        while isOperational[side], queues[side][sender]?.outstanding.count ?? window < window,
            let target = queues[side][sender]?.waiting.first?.message.target
        {
            guard target == 0 || natives[side][target] != nil else {
                if let entry = takeWaiting(of: sender, on: side) {
                    refuse(.noSuchTarget, of: sender, from: side.other, at: now, into: &actions)
                    acknowledge(entry.receipt, on: side.other, into: &actions)
                }
                continue
            }
            lastTag += 1
            let tag = SendTag(lastTag)
            guard let message = queues[side][sender]?.dispatch(as: tag) else { break }
            actions.append(.order(.send(message, tag), on: side))
        }
        if case .draining(let departure, _) = proxy.state, queues[side][sender]?.isEmpty ?? true {
            leave(sender, departure, on: side, at: now, into: &actions)
            noteProxyDeadline()
        }
    }

    /// A message that was given to `side` is ordered, or refused for good.
    mutating func settled(
        _ sender: UInt32,
        _ tag: SendTag,
        refusal: Refusal?,
        on side: SideID,
        at now: Instant,
        into actions: inout [BridgeAction]
    ) {
        // Sides settle the messages of one sender in the order in which they got them.
        guard queues[side][sender]?.outstanding.first?.tag == tag, let sent = takeOutstanding(of: sender, on: side) else { return }
        if let refusal {
            refuse(refusal, of: sender, from: side.other, at: now, into: &actions)
        } else {
            counters.carried[side.other] += 1
        }
        acknowledge(sent.receipt, on: side.other, into: &actions)
        dispatch(sender, to: side, at: now, into: &actions)
    }

    /// The proxy of `sender` is gone: what it had been given may or may not have been delivered, and is not repeated.
    mutating func failOutstanding(of sender: UInt32, on side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        while let sent = takeOutstanding(of: sender, on: side) {
            refuse(.proxyLost, of: sender, from: side.other, at: now, into: &actions)
            acknowledge(sent.receipt, on: side.other, into: &actions)
        }
    }

    /// Gives up what `sender` has not sent yet.
    mutating func discardWaiting(of sender: UInt32, on side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        while let entry = takeWaiting(of: sender, on: side) {
            refuse(.senderGone, of: sender, from: side.other, at: now, into: &actions)
            acknowledge(entry.receipt, on: side.other, into: &actions)
        }
    }

    /// The node `sender` has no proxy any more.
    mutating func discardQueue(of sender: UInt32, on side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        failOutstanding(of: sender, on: side, at: now, into: &actions)
        // A node that came back before its old proxy had left goes on with what it has sent since.
        guard natives[side.other][sender] == nil || isStopping else { return }
        discardWaiting(of: sender, on: side, at: now, into: &actions)
        queues[side][sender] = nil
    }

    private mutating func takeWaiting(of sender: UInt32, on side: SideID) -> SendQueue.Entry? {
        guard let entry = queues[side][sender]?.takeWaiting() else { return nil }
        queuedBytes[side] -= entry.message.payload.count
        return entry
    }

    private mutating func takeOutstanding(of sender: UInt32, on side: SideID) -> SendQueue.Outstanding? {
        guard let sent = queues[side][sender]?.takeOutstanding() else { return nil }
        queuedBytes[side] -= sent.bytes
        return sent
    }

    /// Acknowledges a message that was waiting for it; one that was acknowledged early is not acknowledged again.
    private mutating func acknowledge(_ receipt: Receipt?, on side: SideID, into actions: inout [BridgeAction]) {
        guard let receipt, unacknowledged[side].remove(receipt) != nil else { return }
        actions.append(.order(.acknowledge(receipt), on: side))
        forgetSettledAcknowledgements()
    }

    mutating func acknowledgeOverdue(at now: Instant, into actions: inout [BridgeAction]) {
        while let pending = acknowledgements.first, pending.deadline <= now {
            _ = acknowledgements.popFirst()
            guard unacknowledged[pending.side].remove(pending.receipt) != nil else { continue }
            counters.acknowledgedEarly[pending.side] += 1
            raise(
                .acknowledgedEarly(side: pending.side, count: counters.acknowledgedEarly[pending.side]),
                at: now,
                into: &actions
            )
            actions.append(.order(.acknowledge(pending.receipt), on: pending.side))
        }
        forgetSettledAcknowledgements()
    }

    private mutating func forgetSettledAcknowledgements() {
        while let pending = acknowledgements.first, !unacknowledged[pending.side].contains(pending.receipt) {
            _ = acknowledgements.popFirst()
        }
    }
}
