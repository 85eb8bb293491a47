import TotemWire
import WireFormat

/// Puts messages together that totempg split over packets (reference/totem-wire.md 5), by sequence number, in whatever order the packets
/// come and wherever a recording starts.
///
/// What belongs together is known from the packets themselves: a piece continues the last piece of the sender's previous packet. Which
/// packet that is, is certain when every sequence number between the two was seen, or when the sender's own counter says so.
struct MessageAssembler {
    /// Pieces of one message that belong together without a gap.
    struct Run {
        var first: McastPosition
        var last: McastPosition
        /// What the first piece says of the one before it, and the last one of the one behind it.
        var continuation: UInt8
        var fragmented: UInt8
        var hasStart: Bool
        var hasEnd: Bool
        var bytes: [UInt8]

        var isWhole: Bool { hasStart && hasEnd }
    }

    private(set) var runs: [Run] = []
    private var spareBuffers: [[UInt8]] = []
    private var bytesHeld = 0
    /// Runs that wait for what comes before them; in a recording without loss there are none.
    private var orphans = 0
    /// Whole messages that were not taken out yet.
    private var wholeRuns = 0

    private static let runLimit = 128
    private static let byteLimit = 64 << 20

    /// Messages given up for want of room.
    private(set) var abandoned = 0

    /// Adds a piece. `startsHere` says that a message begins with it, `endsHere` that it is the message's last.
    mutating func add(
        _ piece: UnsafeRawBufferPointer,
        at position: McastPosition,
        continuation: UInt8,
        fragmented: UInt8,
        startsHere: Bool,
        endsHere: Bool,
        rings: RingHistories
    ) {
        if !startsHere, let index = predecessor(of: position, continuation: continuation, rings: rings) {
            runs[index].bytes.append(contentsOf: piece)
            runs[index].last = position
            runs[index].fragmented = fragmented
            runs[index].hasEnd = endsHere
            if runs[index].isWhole { wholeRuns += 1 }
        } else {
            var buffer = spareBuffers.popLast() ?? []
            buffer.removeAll(keepingCapacity: true)
            buffer.append(contentsOf: piece)
            if !startsHere { orphans += 1 }
            runs.append(
                Run(
                    first: position,
                    last: position,
                    continuation: continuation,
                    fragmented: fragmented,
                    hasStart: startsHere,
                    hasEnd: endsHere,
                    bytes: buffer
                )
            )
        }
        bytesHeld += piece.count
        while runs.count > Self.runLimit || bytesHeld > Self.byteLimit {
            remove(at: 0)
            abandoned += 1
        }
    }

    /// Joins runs whose neighbours have come with the mcast at `position`.
    mutating func join(after position: McastPosition, rings: RingHistories) {
        guard orphans > 0 else { return }
        var index = 0
        while index < runs.count {
            if canHaveChanged(index, by: position),
                let before = predecessor(of: runs[index].first, continuation: runs[index].continuation, rings: rings)
            {
                let orphan = runs[index]
                runs[before].bytes.append(contentsOf: orphan.bytes)
                runs[before].last = orphan.last
                runs[before].fragmented = orphan.fragmented
                runs[before].hasEnd = orphan.hasEnd
                if runs[before].isWhole { wholeRuns += 1 }
                bytesHeld += orphan.bytes.count
                remove(at: index)
                index = 0
            } else {
                index += 1
            }
        }
    }

    /// Whether the run at `index` waits for what comes before it, and the mcast at `position` can be that, or close the gap to that.
    private func canHaveChanged(_ index: Int, by position: McastPosition) -> Bool {
        guard !runs[index].hasStart else { return false }
        let first = runs[index].first
        if first.ring == position.ring { return first.sequence &- position.sequence < RingHistory.adjacencyLimit }
        return first.sender == position.sender && position.ring.id.sequence < first.ring.id.sequence
    }

    /// Takes out a whole message, if there is one, and hands its bytes to `body`.
    mutating func takeWhole(_ body: (McastPosition, UnsafeRawBufferPointer) -> Void) -> Bool {
        guard wholeRuns > 0, let index = runs.firstIndex(where: \.isWhole) else { return false }
        runs[index].bytes.withUnsafeBytes { body(runs[index].last, $0) }
        remove(at: index)
        return true
    }

    private mutating func remove(at index: Int) {
        let run = runs.remove(at: index)
        bytesHeld -= run.bytes.count
        if !run.hasStart { orphans -= 1 }
        if run.isWhole { wholeRuns -= 1 }
        if spareBuffers.count < 8 { spareBuffers.append(run.bytes) }
    }

    /// The run that ends where the piece at `position` goes on.
    private func predecessor(of position: McastPosition, continuation: UInt8, rings: RingHistories) -> Int? {
        var nearest: Int?
        var older: Int?
        for index in runs.indices
        where runs[index].last.sender == position.sender && runs[index].fragmented == continuation && !runs[index].hasEnd {
            let last = runs[index].last
            if last.ring == position.ring {
                let distance = Int32(bitPattern: position.sequence &- last.sequence)
                guard distance > 0 else { continue }
                if last.counter &+ 1 == position.counter { return index }
                // Between the others and the piece lies the nearest one, so that they cannot be adjacent.
                if nearest.map({ Int32(bitPattern: last.sequence &- runs[$0].last.sequence) > 0 }) ?? true { nearest = index }
            } else if older == nil, last.ring.layout == position.ring.layout, last.ring.id.sequence < position.ring.id.sequence {
                older = index
            }
        }
        guard nearest != nil || older != nil, let history = rings[position.ring] else { return nil }
        if let nearest, history.areAdjacent(runs[nearest].last.sequence, position.sequence, in: position.sender) { return nearest }
        if let older, canContinueOlder(position, history) { return older }
        return nil
    }

    /// Whether a message that was begun on an older ring goes on at `position`: a sender that stays keeps what it had begun, sends what
    /// the services need for their synchronisation on the new ring, and then goes on (reference/totem-wire.md 5.4).
    private func canContinueOlder(_ position: McastPosition, _ history: RingHistory) -> Bool {
        guard position.sequence < RingHistory.adjacencyLimit else { return false }
        let begunHere = runs.contains { other in
            !other.hasEnd && other.last.sender == position.sender && other.last.ring == position.ring
                && Int32(bitPattern: position.sequence &- other.last.sequence) > 0
        }
        // Nothing of the ring may be missing before it: the message's next piece could be in what is.
        return !begunHere && (1..<max(1, position.sequence)).allSatisfy { history.record($0) != nil }
    }
}

/// The rings of a recording, the ones used last kept.
struct RingHistories {
    private var rings: [RingHistory] = []
    private var uses = 0
    /// Where the last ring was found: most packets are of the ring of the one before.
    private var lastIndex = 0
    private static let limit = 16

    subscript(ring: RingKey) -> RingHistory? {
        rings.first { $0.ring == ring }
    }

    /// The place of `ring`, made when it is new.
    mutating func index(of ring: RingKey) -> Int {
        uses += 1
        if lastIndex < rings.count, rings[lastIndex].ring == ring {
            rings[lastIndex].lastUse = uses
            return lastIndex
        }
        lastIndex = findIndex(of: ring)
        return lastIndex
    }

    private mutating func findIndex(of ring: RingKey) -> Int {
        if let index = rings.firstIndex(where: { $0.ring == ring }) {
            rings[index].lastUse = uses
            return index
        }
        if rings.count >= Self.limit, let oldest = rings.indices.min(by: { rings[$0].lastUse < rings[$1].lastUse }) {
            rings.remove(at: oldest)
        }
        rings.append(RingHistory(ring))
        rings[rings.count - 1].lastUse = uses
        return rings.count - 1
    }

    subscript(index: Int) -> RingHistory {
        _read { yield rings[index] }
        _modify { yield &rings[index] }
    }
}
