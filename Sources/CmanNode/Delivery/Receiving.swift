import CmanWire
import EngineKit
import WireFormat

/// Who sent a datagram, as far as it can be told (reference/cman-wire.md 1.7).
struct Sender: Sendable {
    var endpoint: Endpoint
    var arrival: Arrival
    /// Id of the living node it belongs to, found by id or by address.
    var node: UInt32?
    /// The id that it gave itself and that is known; 0 for nodes known by address only, and for strangers.
    var id: UInt32 = 0
    /// The id that it gave itself, known or not.
    var claimedID: UInt32 = 0
    /// Number of the message.
    var sequence: UInt16 = 0

    /// It belongs to no node of the cluster.
    var isStranger: Bool { node == nil }
}

/// The receive pipeline (reference/cman-wire.md 1.6).
extension CmanNode {
    mutating func processDatagram(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        arrival: Arrival,
        into effects: inout CmanEffects
    ) {
        var packet: CmanPacket
        var failure: WireError?
        do throws(WireError) {
            packet = try CmanPacket(reading: datagram)
        } catch {
            // A reliable message that cannot be read is acknowledged all the same: its sender would take this node for dead.
            packet = CmanPacket()
            failure = error
            do throws(WireError) { packet.header = try CmanHeader(reading: datagram) } catch {
                effects.report(.refused(.malformed(error, from: source)))
                return
            }
        }
        if packet.body.kind != nil, datagram.count > DatagramSlots.size {
            // What is kept of a message has to fit into messages of this node.
            failure = WireError(.outOfBounds(value: datagram.count, limit: DatagramSlots.size), field: "cmd", offset: CmanHeader.size)
        }
        let header = packet.header
        guard header.cluster == clusterNumber else {
            effects.report(.refused(.foreignCluster(number: header.cluster, from: source)))
            return
        }
        switch role {
        case .idle, .rejected, .left:
            if case .hello(let hello) = packet.body {
                reportHeard(hello, id: UInt32(bitPattern: header.sourceID), from: source, into: &effects)
            }
            return
        default: break
        }
        let index = senderIndex(of: header, source)
        if let index, table[index].isSelf {
            if !configuration.addresses.contains(source) { hearsItself(in: packet.body, from: source, into: &effects) }
            return
        }
        if index == nil, configuration.addresses.contains(source) { return }
        if header.targetID > 0, UInt32(bitPattern: header.targetID) != id { return }
        var sender = Sender(
            endpoint: source,
            arrival: arrival,
            claimedID: UInt32(bitPattern: header.sourceID),
            sequence: header.sequence
        )
        if let index {
            let hasAddress = table[index].endpoints.contains(source)
            if rules.verifiesAddressFirst, !hasAddress {
                effects.report(.refused(.wrongAddress(id: table[index].id, from: source)))
                return
            }
            if header.acknowledgement != 0 { takeAcknowledgement(header.acknowledgement, from: index, into: &effects) }
            if !header.flags.contains(.noAck), header.sequence == table[index].lastReceived {
                acknowledgeDuplicate(header, from: index, sender, into: &effects)
                return
            }
            if rules.refusesLateCopies, isLateCopy(header, from: index) {
                // Its sender has gone on, so it was acknowledged; an acknowledgement now would count for a later message.
                effects.report(.refused(.unexpected(message: packet.body.name.description, detail: "late copy", from: source)))
                return
            }
            guard hasAddress else {
                effects.report(.refused(.wrongAddress(id: table[index].id, from: source)))
                return
            }
            sender.node = table[index].id
            sender.id = header.sourceID == 0 ? 0 : table[index].id
        }
        // Senders of broadcasts wait for members only; an acknowledgement of anybody else would be one too many.
        if header.flags.contains(.multicast), !header.flags.contains(.noAck), !role.takesPart { return }
        if let failure {
            effects.report(.refused(.malformed(failure, from: source)))
            if rules.acknowledgesUnknownCommands { acceptUnread(header, index, sender, into: &effects) }
            return
        }
        deliver(packet, datagram, from: sender, index: index, into: &effects)
    }

    /// Somebody else has this node's id. The original does not hear it; who does is the one to give way when the cluster goes on with
    /// the other one.
    private mutating func hearsItself(in body: CmanBody, from source: Endpoint, into effects: inout CmanEffects) {
        effects.report(.refused(.wrongAddress(id: id, from: source)))
        guard rules.givesWayToDouble, case .hello(let hello) = body, hello.flags & CmanHello.quorateFlag != 0, case .member = role,
            !quorumNow.isQuorate
        else { return }
        become(.left, reason: .inconsistent, into: &effects)
    }

    /// The record of a datagram's sender: by id, or by address when it gives none. Dead nodes count as unknown.
    private func senderIndex(of header: CmanHeader, _ source: Endpoint) -> Int? {
        let index = header.sourceID == 0 ? table.index(of: source) : table.index(ofID: UInt32(bitPattern: header.sourceID))
        guard let index, table[index].state != .dead else { return nil }
        return index
    }

    /// A message that was received before is acknowledged again, unless its acknowledgement is being held.
    private mutating func acknowledgeDuplicate(_ header: CmanHeader, from index: Int, _ sender: Sender, into effects: inout CmanEffects) {
        if let held = table[index].held, held.sequence == header.sequence { return }
        acknowledge(
            header.sequence,
            port: header.targetPort,
            status: 0,
            to: sender.endpoint,
            interface: sender.arrival.interface,
            into: &effects
        )
    }

    /// How far a late copy lies behind at the most: what a sender can have sent since, HELLOs and the like included.
    private static let lateCopyWindow: UInt16 = 16

    /// Whether a reliable message is older than the last one from the same node: the network let a newer one overtake a copy. A sender
    /// that began to count anew is no case of this: it joins first, which takes longer than a copy can be late.
    private func isLateCopy(_ header: CmanHeader, from index: Int) -> Bool {
        guard !header.flags.contains(.noAck), table[index].lastReceived != 0 else { return false }
        let lifetime = configuration.timers.retransmit * Int64(configuration.timers.maxRetries + 1)
        return table[index].lastReceived &- header.sequence <= Self.lateCopyWindow && now - table[index].lastReceivedAt < lifetime
    }

    /// Notes a reliable message as received, so that its copies are recognised.
    private mutating func remember(_ header: CmanHeader, index: Int?, isHeld: Bool = false) {
        guard let index, !header.flags.contains(.noAck) else { return }
        table[index].lastReceived = header.sequence
        table[index].lastReceivedAt = now
        if !isHeld {
            table[index].lastAcknowledgeable = header.sequence
            table[index].held = nil
        }
    }

    private mutating func acceptUnread(_ header: CmanHeader, _ index: Int?, _ sender: Sender, into effects: inout CmanEffects) {
        guard !header.flags.contains(.noAck) else { return }
        remember(header, index: index)
        acknowledge(header, delivered: false, to: sender, into: &effects)
    }

    private mutating func acknowledge(_ header: CmanHeader, delivered: Bool, to sender: Sender, into effects: inout CmanEffects) {
        if let node = sender.node, let index = table.index(ofID: node) { table[index].lastAnswered = header.sequence }
        acknowledge(
            header.sequence,
            port: header.targetPort,
            status: header.targetPort == CmanPort.protocol ? 0 : ackStatus(isDelivered: delivered),
            to: sender.endpoint,
            interface: sender.arrival.interface,
            into: &effects
        )
    }

    private mutating func deliver(
        _ packet: CmanPacket,
        _ datagram: UnsafeRawBufferPointer,
        from sender: Sender,
        index: Int?,
        into effects: inout CmanEffects
    ) {
        let header = packet.header
        switch header.targetPort {
        case CmanPort.protocol:
            remember(header, index: index)
            receiveProtocolMessage(packet, from: sender, into: &effects)
        case CmanPort.membership:
            guard canTakeMembershipMessage(packet.body) else {
                // Neither remembered nor acknowledged, so it comes again.
                effects.report(.refused(.unexpected(message: packet.body.name.description, detail: "too many wait", from: sender.endpoint)))
                return
            }
            remember(header, index: index)
            acknowledgeOnArrival(header, isHeard: true, from: sender, into: &effects)
            receiveMembershipMessage(packet.body, from: sender, into: &effects)
        case CmanPort.serviceManager where rules.servesServiceManager:
            remember(header, index: index)
            acknowledgeOnArrival(header, isHeard: true, from: sender, into: &effects)
            receiveServiceManagerMessage(packet.body, from: sender, into: &effects)
        default:
            receiveUserMessage(packet, datagram, from: sender, index: index, into: &effects)
        }
    }

    /// Acknowledges a message to a port above 0 unless a reply will do so.
    private mutating func acknowledgeOnArrival(_ header: CmanHeader, isHeard: Bool, from sender: Sender, into effects: inout CmanEffects) {
        guard !header.flags.contains(.noAck) else { return }
        if header.flags.contains(.replyExpected) {
            let answersItself = header.targetPort <= CmanPort.serviceManager && rules.acknowledgesBeforeReply
            guard answersItself || !isHeard && rules.acknowledgesWithoutListener else { return }
        }
        acknowledge(header, delivered: isHeard, to: sender, into: &effects)
    }

    private mutating func receiveProtocolMessage(_ packet: CmanPacket, from sender: Sender, into effects: inout CmanEffects) {
        let isReliable = !packet.header.flags.contains(.noAck)
        switch packet.body {
        case .ack:
            return
        case .unknown:
            if isReliable, rules.acknowledgesUnknownCommands { acknowledge(packet.header, delivered: true, to: sender, into: &effects) }
            effects.report(.refused(.unexpected(message: packet.body.name.description, detail: "unknown command", from: sender.endpoint)))
            return
        default: break
        }
        if rules.acknowledgesFirst { acknowledge(packet.header, delivered: true, to: sender, into: &effects) }
        switch packet.body {
        case .listenReq(let query): answerListenerQuery(query, from: sender, into: &effects)
        case .listenResp(let answer): takeListenerAnswer(answer, from: sender, into: &effects)
        case .portClosed(let message):
            if sender.id != 0 { effects.report(.portClosed(node: sender.id, port: message.port)) }
        case .barrier(let message): receiveBarrier(message, from: sender, into: &effects)
        default: break
        }
        if !rules.acknowledgesFirst { acknowledge(packet.header, delivered: true, to: sender, into: &effects) }
    }

    private mutating func receiveUserMessage(
        _ packet: CmanPacket,
        _ datagram: UnsafeRawBufferPointer,
        from sender: Sender,
        index: Int?,
        into effects: inout CmanEffects
    ) {
        let header = packet.header
        if rules.refusesStrangers, sender.isStranger {
            // Without a record its retransmissions could not be told from new messages.
            effects.report(.refused(.stranger(message: packet.body.name.description, from: sender.endpoint)))
            return
        }
        let isHeard = ports.contains(header.targetPort)
        var tag: CmanTag?
        if isHeard, let index, !header.flags.contains(.noAck), heldPorts.contains(header.targetPort) {
            tag = makeTag()
            table[index].held = tag.map {
                HeldAcknowledgement(
                    tag: $0,
                    sequence: header.sequence,
                    port: header.targetPort,
                    source: sender.endpoint,
                    interface: sender.arrival.interface
                )
            }
        }
        remember(header, index: index, isHeld: tag != nil)
        if tag == nil { acknowledgeOnArrival(header, isHeard: isHeard, from: sender, into: &effects) }
        guard isHeard else {
            effects.report(.unheard(source: sender.id, target: UInt32(bitPattern: header.targetID), port: header.targetPort))
            return
        }
        // Every receiver of the time reads 1500 bytes and no more, and acknowledges what it cut.
        var payload = packet.payload
        if payload.count > CmanNode.maximumPayload {
            payload.count = CmanNode.maximumPayload
            effects.report(.refused(.unexpected(message: "data", detail: "cut to \(payload.count) bytes", from: sender.endpoint)))
        }
        let message = CmanUserMessage(
            source: sender.id,
            target: UInt32(bitPattern: header.targetID),
            sourcePort: header.sourcePort,
            targetPort: header.targetPort,
            sequence: header.sequence,
            payload: effects.keep(UnsafeRawBufferPointer(rebasing: datagram[payload.range])),
            heldAcknowledgement: tag
        )
        effects.report(.message(message))
    }
}
