import EngineKit
import TotemNode

/// What the processes of a ring sent, delivered and were told about configurations, in the order in which each of them saw it.
public struct RingHistory: Sendable {
    /// What a process saw or did.
    public enum Fact: Sendable, Hashable {
        /// It handed this message to its processor.
        case sent(MessageLabel)
        /// A message was delivered to it.
        case delivered(MessageLabel)
        /// Something was delivered that no process sent in this form.
        case deliveredDamaged(from: UInt32)
        /// A transitional or regular configuration was delivered to it.
        case configuration(TotemMembership)
        /// Something that only readers of a trace want to know.
        case state(String)
    }

    /// A fact and when it happened.
    public struct Record: Sendable, Hashable {
        /// When.
        public var time: Instant
        /// What.
        public var fact: Fact
    }

    /// Every process with what it saw.
    public private(set) var records: [ProcessID: [Record]] = [:]
    /// Node id of each host.
    public let nodeIDs: [UInt32]
    /// The node ids in the order in which a token passes them.
    public let ringOrder: [UInt32]
    /// Processes that ended, by a crash or by leaving.
    public private(set) var ended: Set<ProcessID> = []

    /// A history of hosts with these node ids; without `ringOrder` the token passes them by id.
    public init(nodeIDs: [UInt32], ringOrder: [UInt32]? = nil) {
        self.nodeIDs = nodeIDs
        self.ringOrder = ringOrder ?? nodeIDs.sorted()
    }

    /// The processes, in order.
    public var processes: [ProcessID] { records.keys.sorted() }

    /// Adds a fact.
    public mutating func add(_ fact: Fact, of process: ProcessID, at time: Instant) {
        records[process, default: []].append(Record(time: time, fact: fact))
    }

    /// Notes that a process ended.
    public mutating func end(_ process: ProcessID) {
        ended.insert(process)
    }
}

extension RingHistory {
    /// Everything, in order of time, one line each.
    public var trace: [String] {
        records.flatMap { process, list in list.enumerated().map { (process, $0.offset, $0.element) } }
            .sorted { ($0.2.time, $0.0, $0.1) < ($1.2.time, $1.0, $1.1) }
            .map { process, _, record in "\(record.time.seconds) process \(process) \(record.fact)" }
    }
}

extension RingHistory.Fact: CustomStringConvertible {
    public var description: String {
        switch self {
        case .sent(let label): "sends \(label)"
        case .delivered(let label): "gets \(label)"
        case .deliveredDamaged(let node): "gets a damaged message of node \(node)"
        case .configuration(let configuration):
            "\(configuration.isTransitional ? "transitional" : "regular") \(configuration.ring) \(configuration.members)"
                + " joined \(configuration.joined) left \(configuration.left)"
        case .state(let text): text
        }
    }
}
