import EngineKit
import TotemNode

/// cman on Totem (`ProcessorConfiguration.cman`). Without it nothing happens and nobody listens.
extension ClusterProcessor {
    /// Quorum as cman sees it; nil without cman.
    public var cmanQuorum: CmanOnTotemQuorum? { services.cmanQuorum }

    /// The nodes that are members as far as cman goes, ascending.
    public var cmanMembers: [UInt32] { services.cmanMembers }

    /// A program of this node listens to `port`; false when one does already, or the port is cman's own, 0.
    @discardableResult
    public mutating func open(port: UInt8, at now: Instant, into effects: inout ProcessorEffects) -> Bool {
        guard services.open(port: port) else { return false }
        carryOut(at: now, into: &effects)
        return true
    }

    /// The program of this node no longer listens to `port`; false when none did.
    @discardableResult
    public mutating func close(port: UInt8, at now: Instant, into effects: inout ProcessorEffects) -> Bool {
        guard services.close(port: port) else { return false }
        carryOut(at: now, into: &effects)
        return true
    }

    /// Whether a program of `node` listens to `port`. Who has not told its ports is asked.
    public mutating func isListening(
        _ node: UInt32,
        port: UInt8,
        at now: Instant,
        into effects: inout ProcessorEffects
    ) -> CmanOnTotemListening {
        let answer = services.isListening(node, port: port)
        carryOut(at: now, into: &effects)
        return answer
    }

    /// A program at `sourcePort`, 0 when it has none, sends `payload` to the program at `port` of `node`, or of every node, this one
    /// included, when `node` is 0.
    public mutating func send(
        _ payload: UnsafeRawBufferPointer,
        to node: UInt32,
        port: UInt8,
        from sourcePort: UInt8,
        at now: Instant,
        into effects: inout ProcessorEffects
    ) throws(TotemSendError) {
        guard payload.count <= ServiceStack.largestCmanMessage else { throw .tooLarge(payload.count) }
        guard port != 0 else { return }
        try requireRoom(payload.count)
        services.send(payload, to: node, port: port, from: sourcePort)
        carryOut(at: now, into: &effects)
    }

    /// A program registers barrier `name` for `nodes` nodes, 0 for all members; false when that is refused: there is one with another
    /// number, or the name does not do.
    @discardableResult
    public mutating func register(barrier name: String, nodes: Int) -> Bool { services.register(barrier: name, nodes: nodes) }

    /// The program waits at barrier `name`; false when it is not registered. Its completion comes as an event.
    @discardableResult
    public mutating func wait(barrier name: String, at now: Instant, into effects: inout ProcessorEffects) -> Bool {
        guard services.wait(barrier: name) else { return false }
        carryOut(at: now, into: &effects)
        return true
    }

    /// An administrator wants `node` gone; false when it is no member.
    @discardableResult
    public mutating func cmanKill(_ node: UInt32, at now: Instant, into effects: inout ProcessorEffects) -> Bool {
        guard services.cmanKill(node) else { return false }
        carryOut(at: now, into: &effects)
        return true
    }

    /// Whether this node has state that would not survive meeting that of other nodes (DIRTY in its TRANSITION).
    public mutating func setDirty(_ isDirty: Bool) { services.setDirty(isDirty) }

    /// Asks every member to expect `votes`; false when the daemon would refuse.
    @discardableResult
    public mutating func cmanReconfigure(expectedVotes votes: UInt32, at now: Instant, into effects: inout ProcessorEffects) -> Bool {
        guard services.cmanReconfigure(expectedVotes: votes) else { return false }
        carryOut(at: now, into: &effects)
        return true
    }

    /// Asks every member to count `votes` for `node`; false when the daemon would refuse.
    @discardableResult
    public mutating func cmanReconfigure(
        votes: UInt32,
        of node: UInt32,
        at now: Instant,
        into effects: inout ProcessorEffects
    ) -> Bool {
        guard services.cmanReconfigure(votes: votes, of: node, into: &effects) else { return false }
        carryOut(at: now, into: &effects)
        return true
    }

    /// The configuration file has been read again and has `version`; with `announcing` the others are asked to read theirs.
    public mutating func update(configVersion version: UInt32, announcing: Bool, at now: Instant, into effects: inout ProcessorEffects) {
        services.update(configVersion: version, announcing: announcing, into: &effects)
        carryOut(at: now, into: &effects)
    }

    /// The quorum device of this node has `votes`, or is gone when they are 0.
    public mutating func setQuorumDevice(votes: UInt32, at now: Instant, into effects: inout ProcessorEffects) {
        services.setQuorumDevice(votes: votes, into: &effects)
        carryOut(at: now, into: &effects)
    }
}
