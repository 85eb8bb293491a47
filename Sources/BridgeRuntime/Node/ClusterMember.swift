import EngineKit

/// One member with its sockets: what `NodeProcess` runs, whatever the protocol.
protocol ClusterMember: AnyObject {
    /// When `advance` must be called next.
    var nextDeadline: Instant? { get }

    /// Whether it has left, or was put out of its cluster.
    var hasLeft: Bool { get }

    /// Begins to take part.
    func start(at now: Instant)

    /// The socket that is watched under `token` can be read.
    func ready(_ token: EventLoop.Token, at now: Instant)

    /// Lets every timer that is due expire.
    func advance(to now: Instant)

    /// Carries out a command; `quit` is not handed in.
    func perform(_ command: NodeCommand, at now: Instant)
}

/// Tokens of a member's sockets.
enum MemberToken {
    static let input = EventLoop.Token(rawValue: 1)
    static let node = EventLoop.Token(rawValue: 2)
    static let group = EventLoop.Token(rawValue: 3)

    /// Of a Totem processor, network by network.
    static func node(of network: Int) -> EventLoop.Token { EventLoop.Token(rawValue: node.rawValue + 2 * UInt64(network)) }

    static func group(of network: Int) -> EventLoop.Token { EventLoop.Token(rawValue: group.rawValue + 2 * UInt64(network)) }

    /// Which network's socket is watched under `token`.
    static func network(of token: EventLoop.Token) -> (number: Int, viaGroup: Bool)? {
        guard token.rawValue >= node.rawValue, let offset = Int(exactly: token.rawValue - node.rawValue) else { return nil }
        return (offset / 2, offset % 2 == 1)
    }
}

/// Messages that wait until the engine has room: a burst is longer than any engine's queue.
struct WaitingMessages {
    /// A message, or `count` numbered ones.
    struct Message {
        var channel: NodeCommand.Channel
        var node: UInt32
        var payload: [UInt8]
        var count: Int
        /// Length of every message of a load, in bytes; nil for messages that are as they were given.
        var size: Int?
        var next = 1

        /// The payload of the next one: `payload` itself, or with its number, or that filled up to the wanted size.
        var nextPayload: [UInt8] {
            if let size { return MessagePayload.filled(tag: payload, number: next, size: size) }
            return count == 1 ? payload : payload + Array("-\(next)".utf8)
        }
    }

    /// What became of an attempt to send.
    enum Outcome {
        case sent
        case failed
        /// Try again later.
        case full
    }

    private var messages: [Message] = []
    private var first = 0

    mutating func add(_ message: Message) {
        messages.append(message)
    }

    /// Forgets everything.
    mutating func removeAll() {
        messages.removeAll()
        first = 0
        isInterrupted = false
    }

    /// Messages that one call of `drain` hands over at most: the member has a token to pass on or acknowledgements to give.
    private static let turn = 16

    /// Whether the last call of `drain` stopped although there is more and there is room.
    private(set) var isInterrupted = false

    /// Hands messages to `send` until there are none, it has no room, or it is somebody else's turn.
    mutating func drain(_ send: (Message) -> Outcome) {
        isInterrupted = false
        var handedOver = 0
        while first < messages.count {
            guard handedOver < Self.turn else {
                isInterrupted = true
                return
            }
            handedOver += 1
            switch send(messages[first]) {
            case .full: return
            case .sent where messages[first].next < messages[first].count: messages[first].next += 1
            case .sent, .failed: first += 1
            }
        }
        removeAll()
    }
}
