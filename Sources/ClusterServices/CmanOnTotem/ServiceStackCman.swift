import TotemWire
import WireFormat

/// Commands of cman on Totem, whichever it is. Without cman nothing happens, and nobody listens. Barriers, quorum device and state (DIRTY)
/// are not of the first cman.
extension ServiceStack {
    /// Quorum as cman sees it; nil without cman.
    package var cmanQuorum: CmanOnTotemQuorum? { cman?.current ?? firstCman?.current }

    /// cman's members, ascending.
    package var cmanMembers: [UInt32] { cman?.members ?? firstCman?.members ?? [] }

    /// Longest message of a program, in bytes (MAX_CLUSTER_MESSAGE).
    package static var largestCmanMessage: Int { 1500 }

    /// See `CmanOnTotemService.open`.
    package mutating func open(port: UInt8) -> Bool {
        cman?.open(port, into: &serviceMessages) ?? firstCman?.open(port, into: &serviceMessages) ?? false
    }

    /// See `CmanOnTotemService.close`.
    package mutating func close(port: UInt8) -> Bool {
        cman?.close(port, into: &serviceMessages) ?? firstCman?.close(port, into: &serviceMessages) ?? false
    }

    /// See `CmanOnTotemService.isListening`.
    package mutating func isListening(_ node: UInt32, port: UInt8) -> CmanOnTotemListening {
        cman?.isListening(node, port: port, into: &serviceMessages) ?? firstCman?.isListening(node, port: port) ?? .notMember
    }

    /// See `CmanOnTotemService.send`.
    package mutating func send(_ payload: UnsafeRawBufferPointer, to node: UInt32, port: UInt8, from sourcePort: UInt8) {
        cman?.send(payload, to: node, port: port, from: sourcePort, into: &serviceMessages)
        firstCman?.send(payload, to: node, port: port, from: sourcePort, into: &serviceMessages)
    }

    /// See `CmanOnTotemService.register`.
    package mutating func register(barrier name: String, nodes: Int) -> Bool { cman?.register(barrier: name, nodes: nodes) ?? false }

    /// See `CmanOnTotemService.wait`.
    package mutating func wait(barrier name: String) -> Bool { cman?.wait(barrier: name, into: &serviceMessages) ?? false }

    /// See `CmanOnTotemService.kill`.
    package mutating func cmanKill(_ node: UInt32) -> Bool {
        cman?.kill(node, into: &serviceMessages) ?? firstCman?.kill(node, into: &serviceMessages) ?? false
    }

    /// See `CmanOnTotemService.leave`.
    package mutating func cmanLeave(reason: UInt16) {
        cman?.leave(reason: reason, into: &serviceMessages)
        firstCman?.say(.leave(CmanOnTotemLeave(reason: reason)), into: &serviceMessages)
    }

    /// See `CmanOnTotemService.setDirty`.
    package mutating func setDirty(_ isDirty: Bool) { cman?.setDirty(isDirty) }

    /// See `CmanOnTotemService.reconfigure(expectedVotes:)`.
    package mutating func cmanReconfigure(expectedVotes votes: UInt32) -> Bool {
        cman?.reconfigure(expectedVotes: votes, into: &serviceMessages)
            ?? firstCman?.reconfigure(expectedVotes: votes, into: &serviceMessages) ?? false
    }

    /// See `CmanOnTotemService.reconfigure(votes:of:)`.
    package mutating func cmanReconfigure(votes: UInt32, of node: UInt32, into effects: inout ProcessorEffects) -> Bool {
        cman?.reconfigure(votes: votes, of: node, into: &serviceMessages, &effects)
            ?? firstCman?.reconfigure(votes: votes, of: node, into: &serviceMessages) ?? false
    }

    /// See `CmanOnTotemService.update`.
    package mutating func update(configVersion: UInt32, announcing: Bool, into effects: inout ProcessorEffects) {
        cman?.update(configVersion: configVersion, announcing: announcing, into: &serviceMessages, &effects)
    }

    /// See `CmanOnTotemService.setQuorumDevice`.
    package mutating func setQuorumDevice(votes: UInt32, into effects: inout ProcessorEffects) {
        cman?.setQuorumDevice(votes: votes, into: &serviceMessages, &effects)
    }
}
