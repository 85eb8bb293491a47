import TotemWire
import WireFormat

/// EVT, the event service of openais, as a member takes part that publishes nothing and opens no channel (reference/ais-behaviour.md 6;
/// evt.c:4001-4329@wt), and corosync 1's stand-in for it (evil.c:475-563@fl).
///
/// Every member tells the last message that it saw of each node it knows, says that it has told its channels, waits for all others to have
/// said so, says that it is done, and waits again. This member repeats neither the channels that others have open nor the events that they
/// retain: newcomers learn of them from the other members only.
struct EventService: Sendable {
    private enum Phase: Sendable {
        case tellingLastMessages
        case tellingOpenCounts
        case awaitingOpenCounts
        case tellingDone
        case awaitingDone
        case complete
    }

    /// PROCESSOR_COUNT_MAX: a configuration has no more members.
    private static let nodeLimit = 384

    private let generation: TotemGeneration
    private var phase = Phase.complete
    private var members: [UInt32] = []
    private var awaited: Set<UInt32> = []
    /// The last message of each node that was ever a member.
    private var lastMessages: [UInt32: UInt64] = [:]

    /// The service of a daemon of `generation`.
    init(of generation: TotemGeneration) {
        self.generation = generation
    }

    /// A new ring of `members`, in the order of the configuration.
    mutating func initialise(members: [UInt32]) {
        self.members = members
        awaited = Set(members)
        phase = generation == .openais080 ? .tellingLastMessages : .tellingOpenCounts
    }

    /// What is said while EVT is synchronised, at each token; true when everything is said.
    mutating func process(into outbox: inout Outbox) -> Bool {
        switch phase {
        case .tellingLastMessages:
            tellLastMessages(into: &outbox)
            phase = .tellingOpenCounts
        case .tellingOpenCounts:
            say(EVTChannelCommand(.openCountDone, of: generation), into: &outbox)
            phase = .awaitingOpenCounts
        case .tellingDone:
            say(EVTChannelCommand(.configurationDone, of: generation), into: &outbox)
            phase = .awaitingDone
        case .awaitingOpenCounts, .awaitingDone:
            break
        case .complete:
            return true
        }
        return false
    }

    private mutating func tellLastMessages(into outbox: inout Outbox) {
        for node in members {
            if let last = lastMessages[node] {
                say(EVTChannelCommand(.setID, lastID: .init(nodeID: node, lastID: last), of: generation), into: &outbox)
            } else {
                lastMessages[node] = 0
            }
        }
        if lastMessages.count > Self.nodeLimit { lastMessages = lastMessages.filter { members.contains($0.key) } }
    }

    private func say(_ command: EVTChannelCommand, into outbox: inout Outbox) {
        let room = [UInt8](repeating: 0, count: command.unused.count)
        room.withUnsafeBytes { outbox.add(command, payload: $0) }
    }

    /// Takes a step of the synchronisation of member `sender`, or what it does to a channel, which does not concern this one.
    mutating func receive(_ command: EVTChannelCommand, from sender: UInt32) {
        switch EVTChannelCommand.Operation(rawValue: command.operation) {
        case .openCountDone: checkIn(sender, then: .tellingDone)
        case .configurationDone: checkIn(sender, then: .complete)
        default: break
        }
    }

    /// Both steps are counted alike, whichever a member says (evt.c:3933-3986@wt), but a member counts once only.
    private mutating func checkIn(_ sender: UInt32, then next: Phase) {
        awaited.remove(sender)
        guard awaited.isEmpty else { return }
        awaited = Set(members)
        phase = next
    }

    /// Takes an event that node `sender` published.
    mutating func receive(_ event: EVTEventData, from sender: UInt32) {
        guard let last = lastMessages[sender] else { return }
        lastMessages[sender] = max(last, event.messageID)
    }
}
