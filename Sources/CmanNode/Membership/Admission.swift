import CmanWire
import EngineKit
import WireFormat

/// Letting a node in: the answer to JOINREQ (reference/cman-wire.md 5.4, 5.6).
extension CmanNode {
    mutating func receiveJoinRequest(_ request: CmanJoinRequest, from sender: Sender, into effects: inout CmanEffects) {
        switch role {
        case .master, .client:
            answerJoin(.wait, to: sender, into: &effects)
            return
        case .member: break
        default: return
        }
        if rules.answerToIDZero == .address, let node = sender.node, table.index(ofID: node) == table.index(ofName: request.nodeName) {
            // A member that restarted before its death was noticed. It asks again at every HELLO; NAK would end that, and WAIT bound it to
            // less than a death takes to be noticed. The kernel cannot answer it either (reference/cman-wire.md 5.6).
            effects.report(.refused(.unexpected(message: "joinreq", detail: "from a member", from: sender.endpoint)))
            return
        }
        if let objection = objection(to: request, from: sender) {
            effects.report(.refused(.unexpected(message: "joinreq", detail: objection, from: sender.endpoint)))
            answerJoin(.nak, to: sender, into: &effects)
            return
        }
        // A node asks once per interface and per HELLO.
        if let lastAdmission, lastAdmission.name == request.nodeName, now - lastAdmission.at < configuration.timers.duplicateJoin { return }
        guard
            let joiner = addJoiner(
                name: request.nodeName,
                votes: request.votes,
                expectedVotes: request.expectedVotes,
                id: request.wantedNodeID,
                addresses: request.addresses
            )
        else { return }
        lastAdmission = (request.nodeName, now)
        answerJoin(.ok, to: sender, into: &effects)
        transition.joiner = joiner
        transition.joinerEndpoint = sender.endpoint
        startTransition(.newNode, subject: joiner, into: &effects)
    }

    private mutating func answerJoin(_ answer: CmanJoinAnswer, to sender: Sender, into effects: inout CmanEffects) {
        guard let target = answerTarget(sender) else { return }
        var message = CmanJoinAck()
        message.type = answer.rawValue
        send(.joinAck(message), to: target, flags: .noAck, into: &effects)
    }

    /// Why a node is not let in, in the order of reference/cman-wire.md 5.6; nil when it is.
    private func objection(to request: CmanJoinRequest, from sender: Sender) -> String? {
        if request.major != CmanJoinRequest.majorVersion { return "protocol version \(request.major)" }
        if !request.unreadAddresses.isEmpty { return "address length \(request.addressLength)" }
        // Nobody could read a STARTTRANS or a view that repeats them all.
        if request.addresses.count > CmanJoinRequest.maximumAddresses { return "\(request.addresses.count) addresses" }
        if request.clusterName != Array(configuration.clusterName.utf8)
            || request.clusterName.count > CmanJoinRequest.maximumClusterNameLength
        {
            return "cluster name \(String(decoding: request.clusterName, as: UTF8.self))"
        }
        if table.memberCount >= configuration.timers.maxNodes { return "too many members" }
        if configuration.twoNode, table.memberCount >= 2 { return "a third node in two-node mode" }
        if request.configVersion != configVersion { return "config version \(request.configVersion), here it is \(configVersion)" }
        let named = table.index(ofName: request.nodeName)
        let wanted = request.wantedNodeID
        if wanted > NodeTable.highestID { return "node id \(wanted)" }
        if wanted != 0 {
            if let holder = table.index(ofID: wanted), table[holder].name != request.nodeName || table[holder].state != .dead {
                return "node id \(wanted) belongs to \(String(decoding: table[holder].name, as: UTF8.self))"
            }
            if let named, table[named].id != wanted { return "this name has the node id \(table[named].id)" }
        }
        if request.addressLength != UInt32(ownAddresses.first?.length ?? CmanSocketAddress.ipv4Length) {
            return "address length \(request.addressLength)"
        }
        if let named, table[named].state == .member { return "a member has this name" }
        if let index = table.index(of: sender.endpoint), table[index].state == .member { return "a member has this address" }
        if rules.refusesNewAddress, !request.addresses.contains(where: { $0.endpoint == sender.endpoint }) {
            return "its source is none of its addresses, at which all members look for it"
        }
        if rules.refusesNewAddress, let named, !table[named].endpoints.contains(sender.endpoint) {
            return "this name belongs to another address, at which all members look for it"
        }
        return nil
    }

    /// Puts a node that joins into the table, as JOINREQ, STARTTRANS or NOMINATE describe it, and returns its id; nil when it is
    /// joining already or its id is taken.
    mutating func addJoiner(name: [UInt8], votes: UInt8, expectedVotes: UInt32, id: UInt32, addresses: [CmanSocketAddress]) -> UInt32? {
        if let index = table.index(ofName: name) {
            guard table[index].state == .dead, !table[index].isSelf else { return nil }
            table[index].votes = votes
            table[index].expectedVotes = expectedVotes
            table[index].state = .joining
            table[index].leaveReason = 0
            table[index].lastHello = now
            table[index].lastReceived = 0
            table[index].lastAcknowledgeable = 0
            table[index].lastAcknowledged = 0
            table[index].lastSent = 0
            table[index].held = nil
            table[index].incarnation += 1
            if table[index].addresses.isEmpty {
                table[index].addresses = addresses
                table[index].endpoints = addresses.map(\.endpoint)
            }
            return table[index].id
        }
        let assigned = id == 0 ? table.highestKnownID + 1 : id
        guard assigned <= NodeTable.highestID else { return nil }
        if let holder = table.index(ofID: assigned), table[holder].state != .joining { return nil }
        table.add(
            NodeRecord(
                id: assigned,
                name: name,
                votes: votes,
                expectedVotes: expectedVotes,
                state: .joining,
                addresses: addresses,
                endpoints: addresses.map(\.endpoint),
                lastHello: now
            )
        )
        return assigned
    }

    /// Gives up the node that joins. A brand-new one is forgotten, for no other member would know it; `tellingItToWait` sends it back
    /// to listening.
    mutating func removeJoiner(tellingItToWait: Bool, into effects: inout CmanEffects) {
        defer {
            transition.joiner = nil
            transition.joinerEndpoint = nil
        }
        // A member that programs were told of is no joiner, whatever a STARTTRANS says.
        guard let joiner = transition.joiner, joiner != id, let index = table.index(ofID: joiner), !table[index].isReported else { return }
        if rules.endTransSettlesJoiners, table[index].state == .member { return }
        if tellingItToWait, let endpoint = transition.joinerEndpoint {
            var message = CmanJoinAck()
            message.type = CmanJoinAnswer.wait.rawValue
            send(.joinAck(message), to: .address(endpoint), flags: .noAck, into: &effects)
        }
        if table[index].incarnation == 0 {
            table.remove(at: index)
        } else {
            table[index].state = .dead
        }
    }

    /// The node that joins is a member from here on.
    mutating func confirmJoiner() {
        guard let joiner = transition.joiner, let index = table.index(ofID: joiner), table[index].state == .joining else { return }
        table[index].state = .member
    }
}
