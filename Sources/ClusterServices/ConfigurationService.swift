import EngineKit
import TotemWire
import WireFormat

/// The services CFG and CMAP: an administrator's orders, and comparing the versions of the members' configurations
/// (reference/totem-services.md 7.4, 7.5; cfg.c of all generations, cmap.c since corosync 2).
package struct ConfigurationService: Sendable {
    private let node: UInt32
    private let version: UInt64?
    private var newest: UInt64 = 0
    private var hasPeers = false
    private var isFirst = true

    /// The services of `node`, whose configuration has `version`.
    package init(node: UInt32, version: UInt64?) {
        self.node = node
        self.version = version
    }

    /// A new ring, of whose members `transitional` come with us from the ring before.
    package mutating func initialise(transitional: [UInt32]) {
        hasPeers = !transitional.isEmpty
        newest = version ?? 0
    }

    /// What is said while CMAP is synchronised.
    package func process(into outbox: inout Outbox) {
        outbox.add(CMAPMulticast(.sync, configurationVersion: version))
    }

    /// Every member has told its version.
    package mutating func activate(into effects: inout ProcessorEffects) {
        guard hasPeers, isFirst else { return }
        isFirst = false
        guard let version, version != 0, newest != version else { return }
        effects.report(.outdatedConfiguration(own: version, newest: newest))
    }

    /// Takes the version of another node's configuration.
    package mutating func receive(_ message: CMAPMulticast, from sender: UInt32) {
        guard sender != node, CMAPMulticast.Reason(rawValue: message.reason) != nil else { return }
        newest = max(newest, message.configurationVersion ?? 0)
    }

    /// Takes the order that a node is to exit.
    package func receive(_ message: CFGKillNode, from sender: UInt32, into effects: inout ProcessorEffects) {
        guard message.nodeid == node else { return }
        effects.report(.killed(by: sender))
    }

    /// Takes an order for every member.
    package func receive(_ order: ConfigurationOrder, from sender: UInt32, into effects: inout ProcessorEffects) {
        effects.report(.configuration(order, from: sender))
    }
}
