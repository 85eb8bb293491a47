import Bridging
import CmanNode
import Sides
import TotemWire
import WireFormat

extension BridgeSettings {
    /// What the engine has to be told, with what an earlier process left in `state`.
    func engineConfiguration(state: StateFile) -> BridgeEngineConfiguration {
        var engine = BridgeEngineConfiguration(
            clusterName: cluster,
            nodes: nodes.map { node in
                BridgeEngineConfiguration.Node(
                    id: node.id,
                    name: node.name,
                    votes: UInt32(node.legacyVotes),
                    cmanAddresses: [Endpoint(node.legacyAddress, clusterConf.port)],
                    totemAddress: node.totemAddress
                )
            }
        )
        engine.expectedVotes = clusterConf.expectedVotes
        engine.cman.configVersion = clusterConf.version
        engine.cman.twoNode = clusterConf.twoNode
        engine.cman.timers = legacyTimers
        engine.cman.obeysStrangers = legacyObeysStrangers
        engine.corosync.timers = corosyncConf.timers
        engine.corosync.networkMTU = TotemGeneration.corosync3.networkMTU(
            ofPackets: corosyncConf.networkMTU,
            family: nodes.first?.totemAddress.family ?? .ipv4,
            networks: 1,
            envelope: 0
        )
        engine.corosync.configurationVersion = corosyncConf.configVersion == 0 ? nil : corosyncConf.configVersion
        engine.corosync.expectedVotes = corosyncConf.expectedVotes
        engine.corosync.twoNode = corosyncConf.twoNode
        engine.corosync.waitForAll = corosyncConf.waitForAll
        engine.corosync.storedRingSequences = state.all(.ringSequence)
        engine.reliableSequences = state.all(.reliableSequence).mapValues { UInt16(truncatingIfNeeded: $0) }
        engine.ports = PortMap(
            entries: Dictionary(
                uniqueKeysWithValues: ports.map { port in
                    (port.number, PortMap.Entry(group: port.group, mapping: port.mapping == .raw ? .raw : .cman))
                }
            )
        )
        return engine
    }
}
