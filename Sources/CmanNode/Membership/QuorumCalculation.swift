import CmanWire
import EngineKit
import WireFormat

/// Quorum (reference/cman-wire.md 6).
extension CmanNode {
    /// Quorum by the members' votes; `maximumExpected` replaces the expected votes when it is not 0.
    func calculateQuorum(allowDecrease: Bool, maximumExpected: UInt32 = 0) -> CmanQuorum {
        var total: UInt32 = 0
        var expected: UInt32 = 0
        for record in table.records where record.state == .member {
            total += UInt32(record.votes)
            expected = max(expected, record.expectedVotes)
        }
        if let quorumDevice { total += UInt32(quorumDevice.votes) }
        if maximumExpected > 0 { expected = maximumExpected }
        // The expected votes come from the network: the sum is made so that it cannot overflow.
        var quorum = max(expected / 2 + 1, total / 2 + 1)
        if !allowDecrease { quorum = max(quorum, quorumNow.quorum) }
        if configuration.twoNode { quorum = 1 }
        return CmanQuorum(quorum: quorum, totalVotes: total, expectedVotes: expected)
    }

    mutating func recalculateQuorum(allowDecrease: Bool, into effects: inout CmanEffects) {
        adopt(calculateQuorum(allowDecrease: allowDecrease), into: &effects)
    }

    /// What a master computes at the end of a transition.
    func quorumAfterTransition() -> CmanQuorum {
        let decreases = transition.allowsDecrease
        return calculateQuorum(allowDecrease: decreases, maximumExpected: decreases ? UInt32(table.memberCount) : 0)
    }

    mutating func adopt(_ quorum: CmanQuorum, into effects: inout CmanEffects) {
        guard quorum != quorumNow else { return }
        quorumNow = quorum
        effects.report(.quorum(quorum))
    }

    /// The largest expected votes that a member announced.
    var membersExpectedVotes: UInt32 {
        table.records.lazy.filter { $0.state == .member }.map(\.expectedVotes).max() ?? configuration.expectedVotes
    }

    // MARK: Quorum device

    /// The program of a quorum device says that the device works. Its votes count here for as long as a member may be silent; the others
    /// learn of them in the ENDTRANS of a transition that this node masters (reference/cman-wire.md 6).
    public mutating func pollQuorumDevice(votes: UInt8, at now: Instant, into effects: inout CmanEffects) {
        self.now = now
        let isNew = quorumDevice?.votes != votes
        quorumDevice = (votes, now)
        if isNew, role.takesPart { recalculateQuorum(allowDecrease: false, into: &effects) }
    }

    /// The device does not work any more.
    public mutating func removeQuorumDevice(at now: Instant, into effects: inout CmanEffects) {
        self.now = now
        guard quorumDevice != nil else { return }
        quorumDevice = nil
        if role.takesPart { recalculateQuorum(allowDecrease: false, into: &effects) }
    }

    /// A device whose program is silent counts no longer than a member would.
    mutating func checkQuorumDevice(into effects: inout CmanEffects) {
        guard let device = quorumDevice, hasPassed(configuration.timers.deadNode, since: device.seen) else { return }
        removeQuorumDevice(at: now, into: &effects)
    }

    // MARK: Reconfiguration

    /// Changes expected votes, this node's votes or the version of the configuration, here and on all members. Returns false when
    /// this node is no member, or when the value would leave a quorum above the votes or below half of them.
    @discardableResult
    public mutating func reconfigure(_ parameter: CmanParameter, value: UInt32, at now: Instant, into effects: inout CmanEffects) -> Bool {
        self.now = now
        guard role.takesPart, id != 0 else { return false }
        switch parameter {
        case .expectedVotes:
            let trial = calculateQuorum(allowDecrease: true, maximumExpected: value)
            guard trial.quorum >= trial.totalVotes / 2, trial.quorum <= trial.totalVotes else { return false }
        case .nodeVotes:
            guard value <= UInt8.max else { return false }
        case .configVersion: break
        }
        var message = CmanReconfig()
        message.parameter = parameter.rawValue
        message.value = value
        send(.reconfig(message), to: .everyone, into: &effects)
        apply(parameter, value, of: id, into: &effects)
        return true
    }

    mutating func receiveReconfig(_ message: CmanReconfig, from sender: Sender, into effects: inout CmanEffects) {
        guard role.takesPart, accepts("reconfig", from: sender, isOpen: true, into: &effects) else { return }
        guard let parameter = CmanParameter(rawValue: message.parameter),
            parameter != .nodeVotes || message.value <= UInt8.max && sender.id != 0
        else {
            effects.report(.refused(.unexpected(message: "reconfig", detail: "parameter \(message.parameter)", from: sender.endpoint)))
            return
        }
        apply(parameter, message.value, of: sender.id, into: &effects)
        effects.report(.reconfigured(node: sender.id, parameter: message.parameter, value: message.value))
    }

    private mutating func apply(_ parameter: CmanParameter, _ value: UInt32, of node: UInt32, into effects: inout CmanEffects) {
        switch parameter {
        case .expectedVotes:
            if value > 0 {
                table.forEach { record in
                    if record.state == .member || record.isSelf { record.expectedVotes = min(record.expectedVotes, value) }
                }
            }
            recalculateQuorum(allowDecrease: true, into: &effects)
        case .nodeVotes:
            guard let index = table.index(ofID: node) else { return }
            table[index].votes = UInt8(truncatingIfNeeded: value)
            recalculateQuorum(allowDecrease: true, into: &effects)
        case .configVersion:
            configVersion = value
        }
    }
}
