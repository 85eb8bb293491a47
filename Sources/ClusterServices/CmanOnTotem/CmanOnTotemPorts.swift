import EngineKit
import TotemWire

/// Ports and who listens to them (commands.c:743-825, 1401-1467, 1831-1846@cman2).
extension CmanOnTotemService {
    mutating func receiveOpened(_ port: UInt8, of sender: UInt32, into effects: inout ProcessorEffects) {
        nodes[sender]?.ports.insert(port)
        effects.report(.cman(.portOpened(node: sender, port: port)))
    }

    mutating func receiveClosed(_ port: UInt8, of sender: UInt32, into effects: inout ProcessorEffects) {
        // Bit 0 says that the others are known; no program can listen to port 0.
        if port != 0 { nodes[sender]?.ports.remove(port) }
        effects.report(.cman(.portClosed(node: sender, port: port)))
    }

    mutating func receive(_ status: CmanOnTotemPortStatus, of sender: UInt32, into effects: inout ProcessorEffects) {
        guard sender != id, nodes[sender] != nil else { return }
        nodes[sender]?.ports = status
        effects.report(.cman(.ports(node: sender, status.ports.filter { $0 != 0 })))
    }

    // MARK: Commands

    /// A program of this node listens to `port`; false when one does already, or the port is cman's own.
    package mutating func open(_ port: UInt8, into outbox: inout Outbox) -> Bool {
        guard port != 0, nodes[id]?.ports.contains(port) == false else { return false }
        nodes[id]?.ports.insert(port)
        say(.portOpened(CmanOnTotemPort(port)), into: &outbox)
        return true
    }

    /// The program of this node no longer listens to `port`; false when none did.
    package mutating func close(_ port: UInt8, into outbox: inout Outbox) -> Bool {
        guard port != 0, nodes[id]?.ports.contains(port) == true else { return false }
        say(.portClosed(CmanOnTotemPort(port)), into: &outbox)
        nodes[id]?.ports.remove(port)
        return true
    }

    /// Whether a program of `node` listens to `port`. Who has not told its ports is asked.
    package func isListening(_ node: UInt32, port: UInt8, into outbox: inout Outbox) -> CmanOnTotemListening {
        guard let known = nodes[node], known.state == .member else { return .notMember }
        guard node == id || known.knowsPorts else {
            say(.portEnquiry, to: node, into: &outbox)
            return .asked
        }
        return known.ports.contains(port) ? .yes : .no
    }
}
