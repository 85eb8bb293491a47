import WireFormat

/// One direction of a TCP connection.
struct TCPStream: Sendable {
    /// Who sends to whom.
    struct Key: Hashable, Sendable {
        var source: Endpoint
        var destination: Endpoint

        init?(_ content: Decapsulation) {
            guard let source = content.sourceEndpoint, let destination = content.destinationEndpoint else { return nil }
            self.source = source
            self.destination = destination
        }

        var reversed: Key {
            var key = self
            swap(&key.source, &key.destination)
            return key
        }
    }

    /// Bounds of what is kept.
    struct Limits: Sendable {
        /// Bytes of one stream, in order and behind gaps.
        var bytes = 256 << 10
        /// Runs of bytes behind gaps.
        var runs = 256
        /// How long a gap is waited for, in nanoseconds of capture time.
        var gap: Int64 = 30_000_000_000
        /// The same when the receiver has acknowledged what is behind the gap; not at once, for frames can be recorded in the wrong
        /// order.
        var acknowledgedGap: Int64 = 100_000_000
    }

    /// Bytes behind a gap.
    private struct Run: Sendable {
        /// Distance from the first byte of the stream.
        var start: Int
        var bytes: [UInt8]

        var end: Int { start + bytes.count }
    }

    /// Bytes further behind than this are no repetition: it is what a sender may have on its way without special options, and more.
    private static let repetitionLimit = 1 << 20

    let key: Key
    /// Sequence number of the segment that opened it, if that was seen.
    let opening: UInt32?
    /// Bytes that are in order and not consumed.
    var ready: [UInt8] = []
    /// Whether its sender has ended it.
    var isFinished = false
    /// Time of last use by the table's own count.
    var lastUse: UInt64 = 0

    /// Sequence number of the byte behind `ready`, and its distance from the first byte of the stream.
    private var next: UInt32
    private var nextPosition = 0
    /// How far the receiver has acknowledged, as a distance from the first byte.
    private var acknowledged = 0
    /// What came behind gaps, in order and apart from each other.
    private var runs: [Run] = []
    private var runBytes = 0
    /// When the first gap was first seen.
    private var gapSince: Int64 = 0

    init(key: Key, opening: UInt32?, next: UInt32) {
        self.key = key
        self.opening = opening
        self.next = next
    }

    /// Bytes that it keeps.
    var held: Int { ready.count + runBytes }

    /// How far `sequence` is from the next byte in order.
    private func distance(to sequence: UInt32) -> Int { Int(Int32(bitPattern: sequence &- next)) }

    /// Whether a segment that begins at `sequence` cannot belong to this stream.
    func isForeign(_ sequence: UInt32) -> Bool { distance(to: sequence) < -Self.repetitionLimit }

    mutating func noteAcknowledgement(_ sequence: UInt32) {
        acknowledged = max(acknowledged, nextPosition + distance(to: sequence))
    }

    mutating func insert(
        _ payload: UnsafeRawBufferPointer,
        at sequence: UInt32,
        time: Int64,
        _ limits: Limits,
        _ arrival: inout TCPArrival
    ) {
        guard !payload.isEmpty else { return }
        let distance = distance(to: sequence)
        if distance > 0 {
            if runs.isEmpty { gapSince = time }
            let position = nextPosition + distance
            arrival.missing = distance - runs.reduce(0) { $0 + max(0, min($1.end, position) - min($1.start, position)) }
            guard held + payload.count <= limits.bytes + 65_535, runs.count <= limits.runs else {
                arrival.isRefused = true
                return
            }
            arrival.isRepeated = !keep(payload, at: position)
        } else if -distance < payload.count {
            // A reader that consumes nothing does not make it grow.
            guard ready.count <= limits.bytes else {
                arrival.isRefused = true
                return
            }
            append(UnsafeRawBufferPointer(rebasing: payload[(-distance)...]))
            closeGap(time: time)
        } else {
            arrival.isRepeated = true
        }
    }

    private mutating func append(_ bytes: some Collection<UInt8>) {
        ready.append(contentsOf: bytes)
        next = next &+ UInt32(truncatingIfNeeded: bytes.count)
        nextPosition += bytes.count
    }

    /// Keeps what of `payload` is not there; false when all of it is. Runs stay apart even where they touch: putting them together would
    /// copy them again and again.
    private mutating func keep(_ payload: UnsafeRawBufferPointer, at start: Int) -> Bool {
        let end = start + payload.count
        var index = 0
        var high = runs.count
        while index < high {
            let middle = (index + high) / 2
            if runs[middle].end < start { index = middle + 1 } else { high = middle }
        }
        var position = start
        let before = runBytes
        while position < end {
            let limit = index < runs.count ? min(end, runs[index].start) : end
            if position < limit {
                let piece = payload[(position - start)..<(limit - start)]
                runBytes += piece.count
                if index > 0, runs[index - 1].end == position {
                    runs[index - 1].bytes.append(contentsOf: piece)
                } else {
                    runs.insert(Run(start: position, bytes: Array(piece)), at: index)
                    index += 1
                }
            }
            guard index < runs.count, runs[index].start < end else { break }
            position = max(position, runs[index].end)
            index += 1
        }
        return runBytes > before
    }

    /// Moves runs that are no longer behind a gap.
    private mutating func closeGap(time: Int64) {
        guard let first = runs.first, first.start <= nextPosition else { return }
        var moved = 0
        for run in runs {
            guard run.start <= nextPosition else { break }
            moved += 1
            runBytes -= run.bytes.count
            if run.end > nextPosition { append(run.bytes[(nextPosition - run.start)...]) }
        }
        runs.removeFirst(moved)
        gapSince = time
    }

    mutating func skipGap(time: Int64, _ limits: Limits) -> (missing: Int, unused: Int)? {
        guard let first = runs.first else { return nil }
        let age = time &- gapSince
        guard
            isFinished || age > limits.gap || (acknowledged >= first.start && age > limits.acknowledgedGap) || held > limits.bytes
                || runs.count > limits.runs
        else { return nil }
        let missing = first.start - nextPosition
        let unused = ready.count
        ready.removeAll(keepingCapacity: true)
        next = next &+ UInt32(truncatingIfNeeded: missing)
        nextPosition = first.start
        closeGap(time: time)
        return (missing, unused)
    }
}
