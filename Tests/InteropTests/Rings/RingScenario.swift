import Testing

/// What happens in one ring: who runs what, and what befalls them, in order.
struct RingScenario: Sendable, CustomTestStringConvertible {
    /// What runs on a node.
    enum Kind: Character, Sendable {
        /// A real corosync daemon with a libcpg client.
        case corosync = "c"
        /// `ringbridge node`.
        case ringbridge = "r"
    }

    /// How packets travel.
    enum Network: String, Sendable, CaseIterable {
        case udp
        case udpu
        case udp6
        case udpu6

        /// `totem.transport` of corosync.conf.
        var transport: String { self == .udp || self == .udp6 ? "udp" : "udpu" }
        /// Whether it is IPv6.
        var isIPv6: Bool { self == .udp6 || self == .udpu6 }
    }

    /// One thing that befalls the ring. While it does, everyone sends; afterwards the members are compared, everyone sends again, and
    /// everyone must receive all of it in the same order.
    enum Step: Sendable, Hashable {
        /// A node starts, for the first time or again.
        case start(Int)
        /// A node leaves in order.
        case leave(Int)
        /// A node dies.
        case kill(Int)
        /// A node stands still for so many seconds.
        case freeze(Int, Double)
        /// The network falls into parts.
        case part([[Int]])
        /// The parts find each other again.
        case heal
        /// So many percent of all datagrams are lost, for as long as it takes everyone to receive a hundred messages of each, or, when
        /// that is more than a ring needs to hold, for some seconds.
        case lose(Int)
        /// Every node sends so many messages of so many bytes at once.
        case burst(Int, bytes: Int)

        /// Whether those who can hear each other may part for a while.
        var mayBreakTheRing: Bool {
            switch self {
            case .freeze: true
            case .lose(let percent): percent > 5
            case .start, .leave, .kill, .part, .heal, .burst: false
            }
        }
    }

    /// Name of the list of steps.
    var name: String
    /// What runs on nodes 1, 2, 3, ...
    var kinds: [Kind]
    /// How packets travel.
    var network: Network
    /// What happens after all but the nodes that `start` brings first have formed a ring.
    var steps: [Step]

    init(_ procedure: RingProcedure, _ kinds: String, _ network: Network) {
        name = procedure.rawValue
        self.kinds = kinds.compactMap(Kind.init)
        self.network = network
        steps = procedure.steps(nodes: kinds.count)
    }

    var testDescription: String { "\(name) \(String(kinds.map(\.rawValue))) \(network)" }

    /// Whether a node may come back to others in the middle of its own messages.
    var mayLoseBeginnings: Bool { steps.contains { $0.mayBreakTheRing || $0 == .heal } }

    /// Nodes that run from the beginning: all but those that a step starts before it did anything else to them.
    var initialNodes: [Int] {
        var touched: Set<Int> = []
        var late: Set<Int> = []
        for step in steps {
            switch step {
            case .start(let node):
                if touched.insert(node).inserted { late.insert(node) }
            case .leave(let node), .kill(let node), .freeze(let node, _): touched.insert(node)
            case .part, .heal, .lose, .burst: break
            }
        }
        return (1...kinds.count).filter { !late.contains($0) }
    }
}

/// What can befall a ring, as lists of steps for rings of any size.
enum RingProcedure: String, Sendable, CaseIterable {
    case form
    case joinAndLeave = "join and leave"
    case kill
    case freeze
    case partition
    case loss
    case heavyLoss = "heavy loss"
    case burst
    case everything

    /// The steps for nodes 1 to `nodes`.
    func steps(nodes: Int) -> [RingScenario.Step] {
        let all = Array(1...nodes)
        let (first, last) = (1, nodes)
        switch self {
        case .form: return []
        case .joinAndLeave: return [.leave(first), .start(first), .leave(last), .start(last)]
        case .kill: return [.kill(first), .start(first), .kill(last), .start(last)]
        // Shorter than the loss of the token, and longer.
        case .freeze: return [.freeze(first, 0.7), .freeze(first, 6), .freeze(last, 0.7), .freeze(last, 6)]
        case .partition:
            let middle = (nodes + 1) / 2
            return [
                .part([Array(all[..<middle]), Array(all[middle...])]), .heal,
                .part([all.filter { $0 % 2 == 1 }, all.filter { $0 % 2 == 0 }]), .heal,
            ]
        case .loss: return [.lose(1), .lose(5)]
        case .heavyLoss: return [.lose(10), .lose(20)]
        case .burst: return [.burst(1000, bytes: 100), .burst(60, bytes: 60_000), .burst(20, bytes: 100_000)]
        case .everything:
            return [
                .start(last), .burst(20, bytes: 100_000), .lose(5), .kill(first), .start(first), .leave(last), .start(last),
                .part([[first], Array(all[1...])]), .heal, .freeze(last, 6),
            ]
        }
    }
}

extension RingScenario {
    /// What CI runs: every step with real daemons and ours, ours with the lowest id and with others, over every network.
    static let inCI: [RingScenario] = [
        //           procedure      nodes    network
        RingScenario(.everything, "rcc", .udpu),
        RingScenario(.everything, "ccr", .udp),
        RingScenario(.joinAndLeave, "rc", .udp),
        RingScenario(.joinAndLeave, "cr", .udpu6),
        RingScenario(.kill, "crrcc", .udpu),
        RingScenario(.kill, "rcr", .udp6),
        RingScenario(.freeze, "rcc", .udp),
        RingScenario(.freeze, "ccr", .udpu),
        RingScenario(.partition, "rccrc", .udp),
        RingScenario(.partition, "cr", .udpu),
        RingScenario(.loss, "rcc", .udpu6),
        RingScenario(.heavyLoss, "crc", .udpu),
        RingScenario(.heavyLoss, "rcr", .udp),
        RingScenario(.burst, "rccrr", .udpu),
        RingScenario(.burst, "crc", .udp6),
    ]

    /// Every procedure over every network with two to five nodes, ours first, last and in the middle, one or many, and of one kind
    /// alone, which tells what is the fault of neither.
    static let whole: [RingScenario] = RingProcedure.allCases.flatMap { procedure in
        Network.allCases.flatMap { network in
            ["rc", "cr", "rcc", "ccr", "crr", "rrcc", "crcrc", "rccrr", "ccc", "rrr"].map { RingScenario(procedure, $0, network) }
        }
    }
}
