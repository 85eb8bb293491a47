import Bridging
import EngineKit
import Sides

extension StatusDocument {
    /// The picture of a bridge at `time` (nanoseconds since 1970).
    init(
        _ status: BridgeStatus,
        settings: BridgeSettings,
        refusedPackets: PerSide<UInt64>,
        sockets: BridgeSockets.Counters,
        process: AdminEndpoint.Process,
        time: Int64
    ) {
        cluster = settings.cluster
        processID = process.id
        started = Double(process.started) / 1e9
        self.time = Double(time) / 1e9
        isStopping = status.isStopping
        isConverged = status.isConverged
        doubleIdentities = status.doubleIdentities
        nodes = settings.nodes.map {
            Node(
                id: $0.id,
                name: $0.name,
                votes: UInt32($0.legacyVotes),
                legacyAddress: "\($0.legacyAddress)",
                totemAddress: "\($0.totemAddress)"
            )
        }
        let names = Dictionary(uniqueKeysWithValues: settings.nodes.map { ($0.id, $0.name) })
        legacy = Side(.cman, status, names, refusedPackets.first)
        corosync = Side(.corosync, status, names, refusedPackets.second)
        self.sockets = Sockets(
            received: sockets.received,
            sent: sockets.sent,
            sendFailures: sockets.sendFailures,
            truncated: sockets.truncated
        )
        problems = []
        nextStep = ""
        problems = UpgradeAdvice.problems(self)
        nextStep = UpgradeAdvice.nextStep(self)
    }
}

extension StatusDocument.Side {
    init(_ id: SideID, _ status: BridgeStatus, _ names: [UInt32: String], _ refusedPackets: UInt64) {
        let side = status.sides[id]
        let counts = status.counters
        name = BridgeWords.name(of: id)
        isOperational = side.isOperational
        quorum = side.quorum.map {
            StatusDocument.Quorum(isQuorate: $0.isQuorate, needed: $0.quorum, votes: $0.totalVotes, expected: $0.expectedVotes)
        }
        natives = side.natives.map {
            StatusDocument.Member(id: $0.id, name: $0.name ?? names[$0.id] ?? "?", votes: $0.votes)
        }
        proxies = side.proxies.map {
            StatusDocument.Proxy(
                id: $0.node,
                name: names[$0.node] ?? "?",
                phase: $0.phase.rawValue,
                holdsAddress: $0.holdsAddress,
                failures: $0.failures,
                lastLoss: $0.lastLoss.map { BridgeWords.describe($0) },
                addressHolder: $0.addressHolder
            )
        }
        queues = side.queues.map {
            StatusDocument.Queue(
                sender: $0.sender,
                messages: $0.messages,
                bytes: $0.bytes,
                oldestMilliseconds: $0.oldest.milliseconds
            )
        }
        listeners = side.listeners.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map {
            StatusDocument.Listener(node: $0.key, ports: $0.value.sorted())
        }
        counters = StatusDocument.Counters(
            carried: counts.carried[id],
            acknowledgedEarly: counts.acknowledgedEarly[id],
            withoutRecipient: counts.withoutRecipient[id],
            withoutListener: counts.withoutListener[id],
            refused: Dictionary(uniqueKeysWithValues: counts.refused[id].map { ($0.key.rawValue, $0.value) }),
            refusedPackets: refusedPackets,
            proxiesLost: counts.proxiesLost[id]
        )
    }
}
