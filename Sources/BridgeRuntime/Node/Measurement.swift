import EngineKit

/// How fast messages of this member go round the ring and come back to it (docs/interop.md, "Measuring").
struct Measurement {
    /// What is measured.
    enum Kind: Equatable {
        /// Messages are sent as fast as they are taken.
        case throughput
        /// A message is sent when the one before has come back.
        case roundTrip
    }

    /// The CPG group whose messages are counted.
    let group: String
    /// What every message carries.
    let payload: [UInt8]

    private let kind: Kind
    private let count: Int
    private let began: Instant
    private var sentCount = 0
    private var returnedCount = 0
    private var lastSent: Instant
    private var times: [Int64] = []

    /// `count` messages of `size` bytes; the clock runs from `now` on.
    init(_ kind: Kind, group: String, count: Int, size: Int, at now: Instant) {
        self.kind = kind
        self.group = group
        self.count = count
        payload = [UInt8](repeating: 0, count: size)
        began = now
        lastSent = now
        if kind == .roundTrip { times.reserveCapacity(count) }
    }

    /// Messages that are sent in one go at most: more than a visit of the token takes along.
    static let turn = 256

    /// Whether a message is to be sent now.
    var wantsToSend: Bool { sentCount < count && (kind == .throughput || sentCount == returnedCount) }

    /// A message is about to be given to the ring.
    mutating func sent(at now: Instant) {
        sentCount += 1
        lastSent = now
    }

    /// The ring had no room for it.
    mutating func wasNotSent() {
        sentCount -= 1
    }

    /// A message has come back; gives the result after the last one.
    mutating func returned(at now: Instant) -> NodeReport? {
        returnedCount += 1
        if kind == .roundTrip { times.append((now - lastSent).nanoseconds) }
        guard returnedCount == count else { return nil }
        let report = NodeReport(kind == .throughput ? "measured" : "echoed").with("group", group)
            .with("count", UInt64(count)).with("size", UInt64(payload.count))
        guard kind == .roundTrip else { return report.with("nanoseconds", UInt64(clamping: (now - began).nanoseconds)) }
        times.sort()
        return report.with("minimum", UInt64(clamping: times[0])).with("median", UInt64(clamping: times[count / 2]))
            .with("p99", UInt64(clamping: times[count * 99 / 100]))
    }
}
