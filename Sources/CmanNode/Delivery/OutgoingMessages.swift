import CmanWire
import WireFormat

/// Whom a message is for.
enum MessageTarget: Sendable, Hashable {
    /// All members.
    case everyone
    /// One node by id; on the wire it goes to the group all the same (reference/cman-wire.md 1.3).
    case node(UInt32)
    /// A node that has no id yet.
    case address(Endpoint)
}

/// A reliable message that waits for its turn or for acknowledgements. Its bytes lie in a slot of `DatagramSlots`, with room for the
/// header in front.
struct OutgoingMessage: Sendable {
    var slot: Int
    var length: Int
    var targetPort: UInt8
    var sourcePort: UInt8
    var flags: CmanFlags
    var target: MessageTarget
    var tag: CmanTag?
    /// It asks a silent node whether it lives.
    var isQuestion = false
    /// Counts up over both queues, to keep the order between them.
    var number: UInt64 = 0
}

/// The message of the window of one (reference/cman-wire.md 2.4).
struct OutstandingMessage: Sendable {
    var message: OutgoingMessage
    var sequence: UInt16
    var expected: Int
    var counted = 0
    var retries = 0
}

/// Storage for datagrams, in slots that are reused.
struct DatagramSlots: Sendable {
    /// The longest datagram that a receiver reads (reference/cman-wire.md 1.6), and a little more for views that are longer.
    static let size = 2048

    private var bytes: [UInt8] = []
    private var free: [Int] = []

    mutating func take() -> Int {
        if let slot = free.popLast() { return slot }
        let slot = bytes.count / Self.size
        bytes.append(contentsOf: repeatElement(0, count: Self.size))
        return slot
    }

    mutating func giveBack(_ slot: Int) {
        free.append(slot)
    }

    func withBytes<Result>(_ slot: Int, count: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[slot * Self.size..<slot * Self.size + count])) }
    }

    mutating func withMutableBytes<Result>(_ slot: Int, _ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeMutableBytes {
            body(UnsafeMutableRawBufferPointer(rebasing: $0[slot * Self.size..<(slot + 1) * Self.size]))
        }
    }
}

/// Messages that wait while another one is outstanding: those of ports up to 9, and those that also wait for quorum and the end
/// of a transition (reference/cman-wire.md 6).
struct OutgoingQueues: Sendable {
    private var always: BoundedQueue<OutgoingMessage>
    private var blockable: BoundedQueue<OutgoingMessage>
    private var nextNumber: UInt64 = 0

    init(bound: Int) {
        always = BoundedQueue(bound: bound)
        blockable = BoundedQueue(bound: bound)
    }

    /// False when there is no room.
    mutating func append(_ message: OutgoingMessage) -> Bool {
        var message = message
        message.number = nextNumber
        nextNumber += 1
        return message.targetPort > CmanPort.highestProtected ? blockable.append(message) : always.append(message)
    }

    /// The oldest message that may go out.
    mutating func takeNext(isBlocked: Bool) -> OutgoingMessage? {
        guard !isBlocked, let candidate = blockable.first else { return always.removeFirst() }
        if let other = always.first, other.number < candidate.number { return always.removeFirst() }
        return blockable.removeFirst()
    }

    /// Messages that wait.
    var count: Int { always.count + blockable.count }
}
