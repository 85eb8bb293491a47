import EngineKit

/// The messages of one sender on their way to one side, oldest first. `outstanding` are given to the side, `waiting` are not.
struct SendQueue: Sendable {
    struct Entry: Sendable {
        var message: SideMessage
        /// The receipt on the sender's own side.
        var receipt: Receipt?
        var arrival: Instant
    }

    struct Outstanding: Sendable {
        var tag: SendTag
        var receipt: Receipt?
        var arrival: Instant
        var bytes: Int
    }

    private(set) var waiting = Fifo<Entry>()
    private(set) var outstanding = Fifo<Outstanding>()
    private(set) var bytes = 0

    var count: Int { waiting.count + outstanding.count }
    var isEmpty: Bool { waiting.isEmpty && outstanding.isEmpty }
    var oldest: Instant? { outstanding.first?.arrival ?? waiting.first?.arrival }

    mutating func append(_ entry: Entry) {
        bytes += entry.message.payload.count
        waiting.append(entry)
    }

    /// Takes the oldest waiting message out for good.
    mutating func takeWaiting() -> Entry? {
        guard let entry = waiting.popFirst() else { return nil }
        bytes -= entry.message.payload.count
        return entry
    }

    /// Takes the oldest waiting message to be given to the side as `tag`.
    mutating func dispatch(as tag: SendTag) -> SideMessage? {
        guard let entry = waiting.popFirst() else { return nil }
        outstanding.append(
            Outstanding(tag: tag, receipt: entry.receipt, arrival: entry.arrival, bytes: entry.message.payload.count)
        )
        return entry.message
    }

    /// Takes the oldest message that the side was given.
    mutating func takeOutstanding() -> Outstanding? {
        guard let sent = outstanding.popFirst() else { return nil }
        bytes -= sent.bytes
        return sent
    }
}
