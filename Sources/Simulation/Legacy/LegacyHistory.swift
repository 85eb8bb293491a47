import CmanNode
import EngineKit

/// What the members of a legacy cluster sent, received and were told, in the order in which each of them saw it.
public struct LegacyHistory: Sendable {
    /// What a process saw or did.
    public enum Fact: Sendable, Hashable {
        /// It handed this message to its node, for port `port` of `target` (0 for all), when `members` were its members.
        case sent(MessageLabel, port: UInt8, target: UInt32, members: [UInt32])
        /// Every node that the message was for and that is one of `members` has it.
        case acknowledged(MessageLabel, members: [UInt32])
        /// The message will not be delivered.
        case failed(MessageLabel, CmanSendError)
        /// A message came in on `port`; `isUnicast` when it named this node.
        case delivered(MessageLabel, port: UInt8, isUnicast: Bool)
        /// Something came in that no process sent in this form.
        case deliveredDamaged(from: UInt32)
        /// It became a member.
        case joined(id: UInt32)
        /// It is no member any more.
        case left(CmanLeaveReason)
        /// Another node is a member, or is none any more.
        case member(UInt32, isUp: Bool)
        /// Membership is agreed.
        case view(generation: UInt32, members: [UInt32], quorum: CmanQuorum)
        /// A barrier that it entered ended.
        case barrier(String, CmanBarrierResult)
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
    /// Whose behaviour each host shows.
    public let profiles: [CmanConfiguration.Profile]
    /// When processes ended.
    public private(set) var ends: [ProcessID: Instant] = [:]

    /// A history of hosts with these node ids, and of these profiles; ours when they are not given.
    public init(nodeIDs: [UInt32], profiles: [CmanConfiguration.Profile]? = nil) {
        self.nodeIDs = nodeIDs
        self.profiles = profiles ?? nodeIDs.map { _ in .ringbridge }
    }

    /// The processes, in order.
    public var processes: [ProcessID] { records.keys.sorted() }

    /// Adds a fact.
    public mutating func add(_ fact: Fact, of process: ProcessID, at time: Instant) {
        records[process, default: []].append(Record(time: time, fact: fact))
    }

    /// Notes that a process ended.
    public mutating func end(_ process: ProcessID, at time: Instant) {
        ends[process] = time
    }

    /// Whether a process shows the behaviour of an original.
    public func isOriginal(_ process: ProcessID) -> Bool { profiles[process.host] != .ringbridge }

    /// Whether hosts of two profiles were masters at one time.
    func mastersMeet(_ one: CmanConfiguration.Profile, _ other: CmanConfiguration.Profile) -> Bool {
        let changes = records.flatMap { process, list in
            list.enumerated().compactMap { offset, record in
                if case .state(let state) = record.fact, CmanState(rawValue: state) != nil || state == "ended" {
                    (process, offset, record.time, state == CmanState.master.rawValue)
                } else {
                    nil
                }
            }
        }
        var masters: Set<ProcessID> = []
        for (process, _, _, isMaster) in changes.sorted(by: { ($0.2, $0.0, $0.1) < ($1.2, $1.0, $1.1) }) {
            if isMaster { masters.insert(process) } else { masters.remove(process) }
            if Set(masters.map { profiles[$0.host] }).isSuperset(of: [one, other]) { return true }
        }
        return false
    }

    /// Everything, in order of time, one line each.
    public var trace: [String] {
        records.flatMap { process, list in list.enumerated().map { (process, $0.offset, $0.element) } }
            .sorted { ($0.2.time, $0.0, $0.1) < ($1.2.time, $1.0, $1.1) }
            .map { process, _, record in "\(record.time.seconds) process \(process) \(record.fact)" }
    }
}

extension LegacyHistory.Fact: CustomStringConvertible {
    public var description: String {
        switch self {
        case .sent(let label, let port, let target, let members): "sends \(label) to port \(port) of \(target) among \(members)"
        case .acknowledged(let label, _): "\(label) is acknowledged"
        case .failed(let label, let error): "\(label) failed: \(error)"
        case .delivered(let label, let port, let isUnicast): "gets \(label) on port \(port)\(isUnicast ? " as unicast" : "")"
        case .deliveredDamaged(let node): "gets a damaged message of node \(node)"
        case .joined(let id): "joined as \(id)"
        case .left(let reason): "left: \(reason)"
        case .member(let id, let isUp): "member \(id) \(isUp ? "up" : "down")"
        case .view(let generation, let members, let quorum):
            "generation \(generation) \(members) quorum \(quorum.quorum) votes \(quorum.totalVotes) of \(quorum.expectedVotes)"
        case .barrier(let name, let result): "barrier \(name) \(result)"
        case .state(let text): text
        }
    }
}
