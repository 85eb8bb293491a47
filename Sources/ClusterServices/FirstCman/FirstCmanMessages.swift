import EngineKit
import TotemWire
import WireFormat

/// Messages and orders of the first cman on Totem (process_internal_message, commands.c:1333 of 06267550e).
extension FirstCmanService {
    /// A message from the node at address `sender`, as a number; `bytes` is all of it. The daemons do not swap bytes.
    package mutating func receive(
        _ bytes: UnsafeRawBufferPointer,
        byteOrder: ByteOrder,
        from sender: UInt32,
        into outbox: inout Outbox,
        _ effects: inout ProcessorEffects
    ) throws(WireError) {
        let service = try ServiceMessage(reading: bytes, in: .cman, of: .totem2005, byteOrder: byteOrder)
        guard case .cman(let message) = service.body else { return }
        let target = message.header.tgtid
        guard target == 0 || target == -1 || UInt32(exactly: target) == us.id else { return }
        let source = UInt32(clamping: message.header.srcid)
        // Nobody but a node that is joining may speak for an id that belongs to another address.
        if let known = index(ofID: source), nodes[known].address != sender {
            effects.report(.refused(.wrongSource(claimed: message.header.srcid, from: sender)))
            return
        }
        switch message.body {
        case .joinRequest(let request): receive(request, from: sender, into: &outbox, &effects)
        case .joinConfirmation(let confirmation): receive(confirmation, into: &effects)
        case .portOpened(let port): receive(port, isOpen: true, of: source, into: &effects)
        case .portClosed(let port): receive(port, isOpen: false, of: source, into: &effects)
        case .killNode(let kill): if UInt32(clamping: kill.nodeID) == configuration.nodeID { effects.report(.killed(by: source)) }
        case .leave(let leave): receive(leave, from: source, into: &effects)
        case .reconfigure(let order): receive(order, into: &effects)
        case .data(let range):
            guard us.ports.contains(message.header.tgtport) else { return }
            let payload = effects.keep(UnsafeRawBufferPointer(rebasing: bytes[range.range]))
            let port = message.header.tgtport
            effects.report(
                .cman(
                    .data(
                        node: source,
                        sourcePort: message.header.srcport,
                        target: UInt32(clamping: target),
                        targetPort: port,
                        payload: payload
                    )
                )
            )
        case .barrier: effects.report(.refused(.unknownCommand(4, from: sender)))
        case .unknown(let command): effects.report(.refused(.unknownCommand(command, from: sender)))
        case .ack, .transition, .portEnquiry, .portStatus, .fenceStatus, .none: break
        }
    }

    private mutating func receive(_ message: CmanOnTotemPort, isOpen: Bool, of source: UInt32, into effects: inout ProcessorEffects) {
        if let index = index(ofID: source), message.port != 0 {
            if isOpen { nodes[index].ports.insert(message.port) } else { nodes[index].ports.remove(message.port) }
        }
        let port = message.port
        effects.report(.cman(isOpen ? .portOpened(node: source, port: port) : .portClosed(node: source, port: port)))
    }

    private mutating func receive(_ leave: CmanOnTotemLeave, from source: UInt32, into effects: inout ProcessorEffects) {
        guard source != us.id else {
            effects.report(.cman(.left))
            return
        }
        guard let index = index(ofID: source) else { return }
        nodes[index].leaveReason = leave.reason
        guard nodes[index].state == .member else { return }
        nodes[index].state = .leaving
        effects.report(.cman(.leaving(source, reason: leave.reason)))
    }

    private mutating func receive(_ order: CmanOnTotemReconfigure, into effects: inout ProcessorEffects) {
        guard let index = index(ofID: UInt32(clamping: order.nodeID)) else { return }
        switch CmanOnTotemReconfigure.Parameter(rawValue: order.param) {
        case .expectedVotes:
            nodes[index].expectedVotes = order.value
            for other in nodes.indices where nodes[other].state == .member {
                nodes[other].expectedVotes = min(nodes[other].expectedVotes, order.value)
            }
            recalculate(allowDecrease: true, into: &effects)
        case .nodeVotes:
            nodes[index].votes = order.value
            recalculate(allowDecrease: true, into: &effects)
        case .configVersion:
            if order.value != configuration.configVersion { effects.report(.cman(.newerConfiguration(order.value, of: nodes[index].id))) }
        case .ccs, nil:
            break
        }
    }

    // MARK: Commands

    /// A program of this node listens to `port`; false when one does already, or the port is cman's own.
    mutating func open(_ port: UInt8, into outbox: inout Outbox) -> Bool {
        guard port != 0, !us.ports.contains(port) else { return false }
        us.ports.insert(port)
        say(.portOpened(CmanOnTotemPort(port)), into: &outbox)
        return true
    }

    /// The program of this node no longer listens to `port`; false when none did.
    mutating func close(_ port: UInt8, into outbox: inout Outbox) -> Bool {
        guard port != 0, us.ports.contains(port) else { return false }
        us.ports.remove(port)
        say(.portClosed(CmanOnTotemPort(port)), into: &outbox)
        return true
    }

    /// Whether a program of node `id` listens to `port`: every member told its ports to those that came.
    func isListening(_ id: UInt32, port: UInt8) -> CmanOnTotemListening {
        guard let index = index(ofID: id), nodes[index].state == .member else { return .notMember }
        return nodes[index].ports.contains(port) ? .yes : .no
    }

    /// An administrator wants node `id` gone; false when it is no member.
    func kill(_ id: UInt32, into outbox: inout Outbox) -> Bool {
        guard let index = index(ofID: id), nodes[index].state == .member else { return false }
        say(
            .killNode(CmanOnTotemKill(node: Int32(clamping: id), reason: .cmanTool, of: .totem2005)),
            to: Int32(clamping: id),
            into: &outbox
        )
        return true
    }

    /// Asks every member to expect `votes`.
    func reconfigure(expectedVotes votes: UInt32, into outbox: inout Outbox) -> Bool {
        say(.reconfigure(CmanOnTotemReconfigure(.expectedVotes, value: votes, node: Int32(clamping: us.id))), into: &outbox)
        return true
    }

    /// Asks every member to count `votes` for node `id`; false when it is unknown.
    func reconfigure(votes: UInt32, of id: UInt32, into outbox: inout Outbox) -> Bool {
        guard index(ofID: id) != nil else { return false }
        say(.reconfigure(CmanOnTotemReconfigure(.nodeVotes, value: votes, node: Int32(clamping: id))), into: &outbox)
        return true
    }
}
