import WireFormat

/// What a segment did to the stream that it belongs to.
public struct TCPArrival: Sendable, Hashable {
    /// How a stream begins.
    public enum Beginning: Sendable, Hashable {
        /// With the connection: the first byte of the stream is the first that was sent.
        case connection
        /// Somewhere: the recording, or what can be used of it, starts inside the connection.
        case middle
    }

    /// Number of the stream, for the other functions of `TCPStreams`. A later stream can have the same number.
    public var stream: Int
    /// Set for the first segment of a stream.
    public var beginning: Beginning?
    /// Bytes that are missing before this segment; then it is kept until they come.
    public var missing = 0
    /// The segment brings nothing that was not there before.
    public var isRepeated = false
    /// The segment came out of order and there is no room to keep it.
    public var isRefused = false
    /// Streams that were given up for want of room.
    public var abandonedStreams = 0
}

/// Puts the bytes of TCP segments in order, for each direction of a connection apart, in tables of bounded size.
///
/// Bytes are not compared where segments overlap: what came first stays. A gap is waited for until the receiver has acknowledged what
/// is behind it (then the recording lacks it), until the connection ends, until it is too old, or until too much waits behind it.
/// Whoever follows a stream calls `insert`, takes what it can use by `withBytes` and `consume`, and then asks `skipGap`.
public struct TCPStreams: Sendable {
    private var streams: [TCPStream?] = []
    private var numbers: [TCPStream.Key: Int] = [:]
    /// A stream that has ended; it goes with the next segment, so that its last bytes can still be taken.
    private var ended: Int?
    private var clock: UInt64 = 0
    private var bytesHeld = 0

    private let streamLimit: Int
    private let byteLimit: Int
    private let limits: TCPStream.Limits

    /// No stream yet, and the usual limits: 256 streams, 256 KiB each and 16 MiB together, 30 s for a gap.
    public init() {
        self.init(streamLimit: 256, byteLimit: 16 << 20, limits: TCPStream.Limits())
    }

    init(streamLimit: Int, byteLimit: Int, limits: TCPStream.Limits) {
        self.streamLimit = streamLimit
        self.byteLimit = byteLimit
        self.limits = limits
    }

    /// Streams that are followed.
    public var count: Int { numbers.count }

    /// Whether `content`, a segment, belongs to a connection of which either direction is followed.
    public func follows(_ content: Decapsulation) -> Bool {
        guard !numbers.isEmpty, let key = TCPStream.Key(content) else { return false }
        return numbers[key] != nil || numbers[key.reversed] != nil
    }

    /// Takes a segment with its payload. The first of a stream is the first with bytes, or the one that opens the connection.
    ///
    /// Returns nil for what is no segment and for segments without bytes of streams that are not followed.
    public mutating func insert(_ content: Decapsulation, _ payload: UnsafeRawBufferPointer, time: Int64) -> TCPArrival? {
        if let number = ended { remove(number) }
        guard content.kind == .segment, let key = TCPStream.Key(content) else { return nil }
        if content.flags.contains(.acknowledge), let other = numbers[key.reversed] {
            streams[other]?.noteAcknowledgement(content.acknowledgement)
        }
        let opens = content.flags.contains(.synchronise)
        if opens, let known = numbers[key], streams[known]?.opening != content.sequence { remove(known) }
        // Bytes so far behind that no repetition explains them are another connection between the same ports.
        if let known = numbers[key], !payload.isEmpty, streams[known]?.isForeign(content.sequence) == true { remove(known) }

        let number: Int
        var beginning: TCPArrival.Beginning?
        var abandoned = 0
        if let known = numbers[key] {
            number = known
        } else {
            guard opens || !payload.isEmpty else { return nil }
            (number, abandoned) = add(key, at: content.sequence, opens: opens)
            beginning = opens ? .connection : .middle
        }
        clock += 1
        let held = streams[number]?.held ?? 0
        var arrival = TCPArrival(stream: number, beginning: beginning, abandonedStreams: abandoned)
        // The number that opens a connection counts as a byte of its own.
        streams[number]?.insert(payload, at: opens ? content.sequence &+ 1 : content.sequence, time: time, limits, &arrival)
        streams[number]?.lastUse = clock
        if content.flags.contains(.finish) || content.flags.contains(.reset) {
            streams[number]?.isFinished = true
            ended = number
        }
        bytesHeld += (streams[number]?.held ?? 0) - held
        while bytesHeld > byteLimit, let oldest = leastRecentlyUsed(but: number) {
            remove(oldest)
            arrival.abandonedStreams += 1
        }
        return arrival
    }

    /// Calls `body` with the bytes of the stream that are in order and not consumed. They are valid during the call.
    public func withBytes<Result>(of stream: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        guard streams.indices.contains(stream), let stream = streams[stream] else {
            return try body(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        return try stream.ready.withUnsafeBytes(body)
    }

    /// Takes the first `count` bytes off the stream.
    public mutating func consume(_ count: Int, of stream: Int) {
        guard streams.indices.contains(stream), let ready = streams[stream]?.ready.count else { return }
        let count = min(max(0, count), ready)
        streams[stream]?.ready.removeFirst(count)
        bytesHeld -= count
    }

    /// Gives up the bytes that the stream waits for if they will not come, and makes those behind them ready. What is in order and not
    /// consumed is given up too, for its continuation is missing. Returns how many bytes were missing and how many are given up.
    public mutating func skipGap(of stream: Int, time: Int64) -> (missing: Int, unused: Int)? {
        guard streams.indices.contains(stream), let held = streams[stream]?.held else { return nil }
        let result = streams[stream]?.skipGap(time: time, limits)
        bytesHeld += (streams[stream]?.held ?? 0) - held
        return result
    }

    private mutating func add(_ key: TCPStream.Key, at sequence: UInt32, opens: Bool) -> (number: Int, abandoned: Int) {
        var abandoned = 0
        if numbers.count >= streamLimit, let oldest = leastRecentlyUsed(but: nil) {
            remove(oldest)
            abandoned = 1
        }
        let stream = TCPStream(key: key, opening: opens ? sequence : nil, next: opens ? sequence &+ 1 : sequence)
        if let free = streams.firstIndex(where: { $0 == nil }) {
            streams[free] = stream
            numbers[key] = free
            return (free, abandoned)
        }
        streams.append(stream)
        numbers[key] = streams.count - 1
        return (streams.count - 1, abandoned)
    }

    private mutating func remove(_ number: Int) {
        guard let stream = streams[number] else { return }
        bytesHeld -= stream.held
        numbers[stream.key] = nil
        streams[number] = nil
        if ended == number { ended = nil }
    }

    private func leastRecentlyUsed(but number: Int?) -> Int? {
        streams.indices
            .filter { $0 != number && streams[$0] != nil }
            .min { (streams[$0]?.lastUse ?? 0) < (streams[$1]?.lastUse ?? 0) }
    }
}
