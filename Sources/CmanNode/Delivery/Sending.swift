import CmanWire
import EngineKit
import WireFormat

/// Sending: one running number for everything, a window of one for what is acknowledged (reference/cman-wire.md 2.4).
extension CmanNode {
    /// A header without number; those are given when the message leaves.
    private func header(port: UInt8, sourcePort: UInt8, flags: CmanFlags) -> CmanHeader {
        var header = CmanHeader()
        header.targetPort = port
        header.sourcePort = sourcePort
        header.cluster = clusterNumber
        header.flags = flags
        return header
    }

    /// Sends a protocol message, or queues it when it is to be acknowledged and another one is outstanding. Returns false when it was
    /// dropped, because the queue is full.
    @discardableResult
    mutating func send(
        _ body: CmanBody,
        to target: MessageTarget,
        flags: CmanFlags = [],
        sourcePort: UInt8? = nil,
        isQuestion: Bool = false,
        into effects: inout CmanEffects
    ) -> Bool {
        guard let kind = body.kind else { return false }
        let slot = flags.contains(.noAck) ? scratchSlot : slots.take()
        var packet = CmanPacket()
        packet.header = header(port: kind.port, sourcePort: sourcePort ?? kind.port, flags: flags)
        packet.body = body
        let length = slots.withMutableBytes(slot) { buffer -> Int? in
            do throws(WireError) { return try packet.write(into: buffer) } catch { return nil }
        }
        guard let length else {
            // Only a list of nodes could be too long for a slot, and those are cut before.
            if slot != scratchSlot { slots.giveBack(slot) }
            return false
        }
        let message = OutgoingMessage(
            slot: slot,
            length: length,
            targetPort: kind.port,
            sourcePort: sourcePort ?? kind.port,
            flags: flags,
            target: target,
            tag: nil,
            isQuestion: isQuestion
        )
        guard flags.contains(.noAck) else { return sendOrQueue(message, into: &effects) }
        launch(message, into: &effects)
        return true
    }

    /// Whether messages to ports above 9 have to wait.
    var isBlocked: Bool { role.isInTransition || !quorumNow.isQuorate }

    /// Sends a reliable message or queues it; false when the queue is full and the message is dropped.
    mutating func sendOrQueue(_ message: OutgoingMessage, into effects: inout CmanEffects) -> Bool {
        let mustWait = message.targetPort > CmanPort.highestProtected && isBlocked
        if outstanding == nil, !mustWait {
            var message = message
            let isBarrier = slots.withBytes(message.slot, count: message.length) {
                message.targetPort == CmanPort.protocol && $0[CmanHeader.size] == CmanMessageKind.barrier.command
            }
            if message.targetPort == CmanPort.protocol, isBarrier ? rules.marksImmediateBarriers : rules.marksImmediateMessages {
                message.flags.insert(.dontWait)
            }
            launch(message, into: &effects)
            return true
        }
        guard queues.append(message) else {
            slots.giveBack(message.slot)
            effects.report(.refused(.unexpected(message: "queue", detail: "full, a message is dropped", from: configuration.ownEndpoint)))
            return false
        }
        return true
    }

    /// Sends what waits, as long as nothing is outstanding.
    mutating func sendQueued(into effects: inout CmanEffects) {
        while outstanding == nil, let message = queues.takeNext(isBlocked: isBlocked) { launch(message, into: &effects) }
    }

    /// Numbers a message and puts it on the wire.
    private mutating func launch(_ message: OutgoingMessage, into effects: inout CmanEffects) {
        sequence = sequence == .max ? 1 : sequence + 1
        var header = header(port: message.targetPort, sourcePort: message.sourcePort, flags: message.flags)
        header.sequence = sequence
        header.sourceID = Int32(bitPattern: id)
        switch message.target {
        case .everyone:
            header.flags.insert(.multicast)
        case .node(let node):
            header.targetID = Int32(bitPattern: node)
            if let index = table.index(ofID: node), rules.repeatsAcknowledgements || !table[index].isAnswered {
                header.acknowledgement = table[index].lastAcknowledgeable
            }
        case .address: break
        }
        writeHeader(header, slot: message.slot)
        transmit(message, into: &effects)
        guard !message.flags.contains(.noAck) else {
            if message.slot != scratchSlot { slots.giveBack(message.slot) }
            return
        }
        let expected = markReceivers(of: message.target)
        guard expected > 0 else {
            complete(message, into: &effects)
            return
        }
        header.flags.remove(.replyExpected)
        writeHeader(header, slot: message.slot)
        outstanding = OutstandingMessage(message: message, sequence: sequence, expected: expected)
        timers[.retransmit] = now + copyInterval
    }

    /// Time between two copies of a message.
    private var copyInterval: Interval { configuration.timers.retransmit / Int64(rules.copiesPerInterval) }

    /// Copies that are sent until silent nodes are given up: the last interval is waited for, too.
    private var copyLimit: Int { (configuration.timers.maxRetries + 1) * rules.copiesPerInterval - 1 }

    private mutating func writeHeader(_ header: CmanHeader, slot: Int) {
        var header = header
        slots.withMutableBytes(slot) { buffer in
            var writer = WireWriter(buffer)
            // A slot is always larger than a header.
            do throws(WireError) { try header.visit(&writer) } catch {}
        }
    }

    private func transmit(_ message: OutgoingMessage, into effects: inout CmanEffects) {
        let bytes = slots.withBytes(message.slot, count: message.length) { effects.keep($0) }
        switch message.target {
        case .address(let endpoint):
            for interface in configuration.addresses.indices { effects.transmit(bytes, to: .endpoint(endpoint, interface: interface)) }
        case .everyone where message.flags.contains(.allInterfaces):
            for interface in configuration.addresses.indices { effects.transmit(bytes, to: .group(interface: interface)) }
        case .everyone, .node:
            effects.transmit(bytes, to: .group(interface: currentInterface))
        }
    }

    /// Notes who has to acknowledge the message that was just numbered, and returns how many that are.
    private mutating func markReceivers(of target: MessageTarget) -> Int {
        switch target {
        case .everyone:
            var count = 0
            let sequence = sequence
            table.forEach { record in
                guard record.state == .member, !record.isSelf else { return }
                record.lastSent = sequence
                count += 1
            }
            return count
        case .node(let node):
            guard let index = table.index(ofID: node) else { return rules.forgetsDeadNodes ? 0 : 1 }
            guard !rules.forgetsDeadNodes || table[index].state != .dead else { return 0 }
            table[index].lastSent = sequence
            return 1
        case .address:
            return 1
        }
    }

    /// A message is acknowledged by all it was for that are still there.
    mutating func complete(_ message: OutgoingMessage, into effects: inout CmanEffects) {
        slots.giveBack(message.slot)
        if let tag = message.tag { effects.report(.sent(tag)) }
    }

    // MARK: Missing acknowledgements

    mutating func retransmissionIsDue(into effects: inout CmanEffects) {
        guard var current = outstanding else { return }
        current.retries += 1
        guard current.retries <= copyLimit else {
            giveUpWaiting(for: current, into: &effects)
            return
        }
        outstanding = current
        // The interface may be what is broken, so every copy goes out on the next one, to the group even if the first did not.
        currentInterface = (currentInterface + 1) % max(1, configuration.addresses.count)
        let bytes = slots.withBytes(current.message.slot, count: current.message.length) { effects.keep($0) }
        effects.transmit(bytes, to: .group(interface: currentInterface))
        timers[.retransmit] = now + copyInterval
    }

    /// Nodes that kept silent are dead.
    private mutating func giveUpWaiting(for current: OutstandingMessage, into effects: inout CmanEffects) {
        outstanding = nil
        guard !current.message.isQuestion else {
            questionEnded(current.message.target, isAnswered: false)
            complete(current.message, into: &effects)
            return
        }
        var silent: [UInt32] = []
        for index in table.positions(newestFirst: rules.listsNewestFirst) {
            let record = table[index]
            guard record.state != .dead, !record.isSelf, record.lastAcknowledged != record.lastSent else { continue }
            if rules.checksAcknowledgements, record.lastSent != current.sequence { continue }
            table[index].leaveReason = CmanLeaveReason.noResponse.rawValue
            silent.append(record.id)
        }
        complete(current.message, into: &effects)
        if !silent.isEmpty, rules.abandonsBarrier == .beforeWaiting, isEndTrans(current.message), case .completing(let outcome) = role {
            abandonBarrier(outcome, into: &effects)
        }
        if rules.sendsQueuedBeforeDeaths { sendQueued(into: &effects) }
        for node in silent { nodeDied(node, into: &effects) }
    }

    private func isEndTrans(_ message: OutgoingMessage) -> Bool {
        message.targetPort == CmanPort.membership
            && slots.withBytes(message.slot, count: message.length) { $0[CmanHeader.size] == CmanMessageKind.endTrans.command }
    }

    /// Drops everything that waits, for a node that leaves.
    mutating func discardOutgoing(into effects: inout CmanEffects) {
        timers[.retransmit] = nil
        if let current = outstanding {
            outstanding = nil
            fail(current.message, into: &effects)
        }
        while let message = queues.takeNext(isBlocked: false) { fail(message, into: &effects) }
    }

    private mutating func fail(_ message: OutgoingMessage, into effects: inout CmanEffects) {
        slots.giveBack(message.slot)
        if let tag = message.tag { effects.report(.sendFailed(tag, .notMember)) }
    }
}

extension CmanConfiguration {
    /// The address that stands for the node itself in reports.
    var ownEndpoint: Endpoint { addresses.first ?? Endpoint(IPAddress(ipv4: 0), 0) }
}
