import ClusterServices
import CmanNode
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// What surrounds the native legacy members of a bridged cluster.
final class LegacyPart: EngineEnvironment {
    typealias Engine = CmanNode

    unowned let cluster: BridgedCluster
    private var labels: [Int: [CmanTag: MessageLabel]] = [:]
    private var hasNewView = false

    init(cluster: BridgedCluster) {
        self.cluster = cluster
    }

    func engine(of node: UInt32, profile: CmanConfiguration.Profile, seed: UInt64) -> CmanNode {
        var configuration = CmanConfiguration(
            clusterName: BridgedCluster.name,
            nodeName: "node\(node)",
            addresses: [BridgedCluster.legacyEndpoint(node)]
        )
        configuration.wantedNodeID = node
        configuration.expectedVotes = UInt32(cluster.count)
        configuration.profile = profile
        configuration.listeningPorts = [BridgedCluster.port]
        return CmanNode(configuration: configuration, seed: seed)
    }

    func forget(_ host: Int) { labels[host] = [:] }

    /// Gives a message to the node; false when it does not take it.
    func send(_ payload: [UInt8], label: MessageLabel, to target: UInt32, from host: EngineHost<LegacyPart>) -> Bool {
        host.command { engine, now, effects in
            payload.withUnsafeBytes { bytes in
                let members = engine.members.filter { $0.state == .member }.map(\.id)
                do throws(CmanSendError) {
                    let port = BridgedCluster.port
                    let tag = try engine.send(bytes, from: port, to: port, node: target, at: now, into: &effects)
                    labels[host.number, default: [:]][tag] = label
                    cluster.note(.sent(label, port: port, target: target, members: members), of: host.process)
                    return true
                } catch {
                    return false
                }
            }
        } ?? false
    }

    func transmit(
        _ datagram: UnsafeRawBufferPointer,
        to destination: CmanDestination,
        by engine: borrowing CmanNode,
        on host: EngineHost<LegacyPart>
    ) {
        let target =
            switch destination {
            case .group: BridgedCluster.legacyGroup
            case .endpoint(let endpoint, _): endpoint
            }
        let source = BridgedCluster.legacyEndpoint(cluster.nodeIDs[host.number])
        cluster.network.transmit(datagram, from: source, host: host.number, to: target)
    }

    func observe(
        _ event: CmanEvent,
        in effects: borrowing Effects<CmanDestination, CmanEvent>,
        by engine: borrowing CmanNode,
        on host: EngineHost<LegacyPart>
    ) {
        let process = host.process
        switch event {
        case .joined(let id): cluster.note(.joined(id: id), of: process)
        case .left(let reason):
            cluster.note(.left(reason), of: process)
            hasNewView = false
        case .memberUp(let member): cluster.note(.member(member.id, isUp: true), of: process)
        case .memberDown(let member, let reason):
            cluster.note(.member(member.id, isUp: false), of: process)
            cluster.note(.state("reason \(reason)"), of: process)
            hasNewView = false
        case .transitionEnded: hasNewView = true
        case .message(let message):
            let label = effects.withBytes(message.payload) { MessageLabel(payload: $0) }
            cluster.note(
                label.map { .delivered($0, port: message.targetPort, isUnicast: message.target != 0) }
                    ?? .deliveredDamaged(from: message.source),
                of: process
            )
        case .sent(let tag):
            if let label = labels[host.number]?.removeValue(forKey: tag) { cluster.note(.state("\(label) acknowledged"), of: process) }
        case .sendFailed(let tag, let error):
            if let label = labels[host.number]?.removeValue(forKey: tag) { cluster.note(.failed(label, error), of: process) }
        case .state(let state): cluster.note(.state(state.rawValue), of: process)
        case .barrier, .quorum, .heard, .transitionBegan, .unheard, .portClosed, .listener, .reconfigured, .refused: break
        }
    }

    func settle(_ engine: inout CmanNode, on host: EngineHost<LegacyPart>) {
        guard hasNewView else { return }
        hasNewView = false
        let members = engine.members.filter { $0.state == .member }.map(\.id)
        cluster.note(.view(generation: engine.generation, members: members, quorum: engine.quorum), of: host.process)
    }

    func arrival(at destination: Endpoint, viaGroup: Bool, host: EngineHost<LegacyPart>) -> Arrival {
        Arrival(viaGroup: viaGroup)
    }
}

/// What surrounds the native processors of a bridged cluster. Each has one client, in the group of the workload's port.
final class TotemPart: EngineEnvironment {
    typealias Engine = ClusterProcessor<Corosync3>

    private static let group = "cman.\(BridgedCluster.port)"
    private static let pid: UInt32 = 100

    /// Bytes of the header of cman on Totem (reference/totem-services.md 7.7.1).
    private static let headerSize = 16

    unowned let cluster: BridgedCluster
    let transport: RingTransport
    private var storedRingSequences: [UInt32: UInt64] = [:]

    init(cluster: BridgedCluster, transport: RingTransport) {
        self.cluster = cluster
        self.transport = transport
    }

    func engine(of node: UInt32, seed: UInt64) -> ClusterProcessor<Corosync3> {
        var configuration = ProcessorConfiguration(nodeID: node, nodes: transport.nodeIDs)
        configuration.totem.storedRingSequence = storedRingSequences[node] ?? 0
        return ClusterProcessor<Corosync3>(configuration: configuration, seed: seed)
    }

    func start(_ host: EngineHost<TotemPart>) {
        host.command { engine, now, effects in
            engine.start(at: now, into: &effects)
            engine.join(group: Self.group, pid: Self.pid, at: now, into: &effects)
        }
    }

    func send(_ payload: [UInt8], label: MessageLabel, to target: UInt32, from host: EngineHost<TotemPart>) -> Bool {
        var message = [BridgedCluster.port, BridgedCluster.port, 0, 0, 0, 0, 0, 0]
        for number in [cluster.nodeIDs[host.number], target] {
            message += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
        }
        message += payload
        return host.command { engine, now, effects in
            message.withUnsafeBytes { bytes in
                let members = engine.members
                do throws(TotemSendError) {
                    try engine.send(bytes, group: Self.group, from: Self.pid, at: now, into: &effects)
                    cluster.note(.sent(label, port: BridgedCluster.port, target: target, members: members), of: host.process)
                    return true
                } catch {
                    return false
                }
            }
        } ?? false
    }

    func transmit(
        _ datagram: UnsafeRawBufferPointer,
        to destination: TotemDestination,
        by engine: borrowing ClusterProcessor<Corosync3>,
        on host: EngineHost<TotemPart>
    ) {
        let node = cluster.nodeIDs[host.number]
        transport.transmit(datagram, to: destination, from: node, members: engine.members, host: host.number, on: cluster.network)
    }

    func observe(
        _ event: ProcessorEvent,
        in effects: borrowing Effects<TotemDestination, ProcessorEvent>,
        by engine: borrowing ClusterProcessor<Corosync3>,
        on host: EngineHost<TotemPart>
    ) {
        let process = host.process
        switch event {
        case .membership(let membership):
            cluster.ringHistory.add(.configuration(membership), of: process, at: cluster.network.now)
            for node in membership.left { cluster.note(.member(node, isUp: false), of: process) }
            for node in membership.joined { cluster.note(.member(node, isUp: true), of: process) }
            cluster.note(
                .state("\(membership.isTransitional ? "transitional" : "regular") \(membership.ring) \(membership.members)"),
                of: process
            )
        case .message(_, let sender, let payload):
            effects.withBytes(payload) { bytes in receive(bytes, from: sender, process, host) }
        case .storeRingSequence(let sequence): storedRingSequences[cluster.nodeIDs[host.number]] = sequence
        case .killed, .outdatedConfiguration, .seesDisallowed, .duplicateIdentity, .ring, .refused:
            cluster.note(.state("\(event)"), of: process)
        case .synchronised, .quorum, .group, .unheard, .configuration, .storeExpectedVotes, .cman: break
        }
    }

    /// What a client of the workload does with a message: it takes those that are for its node.
    private func receive(_ bytes: UnsafeRawBufferPointer, from sender: CPGProcess, _ process: ProcessID, _ host: EngineHost<TotemPart>) {
        guard bytes.count >= Self.headerSize else { return cluster.note(.deliveredDamaged(from: sender.node), of: process) }
        let source = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        let target = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        guard source == sender.node, let label = MessageLabel(payload: UnsafeRawBufferPointer(rebasing: bytes[Self.headerSize...])) else {
            return cluster.note(.deliveredDamaged(from: sender.node), of: process)
        }
        cluster.ringHistory.add(.delivered(label), of: process, at: cluster.network.now)
        // A legacy member does not hear its own broadcast; here it does.
        guard label.process != process, target == 0 || target == cluster.nodeIDs[host.number] else { return }
        cluster.note(.delivered(label, port: BridgedCluster.port, isUnicast: target != 0), of: process)
    }

    func arrival(at destination: Endpoint, viaGroup: Bool, host: EngineHost<TotemPart>) -> Arrival {
        Arrival(viaGroup: viaGroup)
    }
}
