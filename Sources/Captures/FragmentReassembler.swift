import WireFormat

/// Puts the fragments of IP datagrams together, in a table of bounded size.
struct FragmentReassembler {
    /// What tells the fragments of one datagram from those of others (RFC 791 section 3.2, RFC 8200 section 4.5).
    struct Key: Hashable {
        var source: IPAddress
        var destination: IPAddress
        /// Number of the protocol that the datagram holds.
        var next: UInt8
        var identification: UInt32
    }

    /// What a fragment did.
    enum Outcome {
        /// More fragments are missing.
        case incomplete
        /// The datagram is whole and in `completed`.
        case complete(fragments: Int)
        /// It contradicts fragments that came before; the datagram was given up.
        case contradictory
    }

    fileprivate struct Unfinished {
        var key: Key
        var started: Int64
        var bytes: [UInt8]
        /// What is there, in order and apart from each other.
        var received: [Range<Int>]
        /// The length of the datagram, known from its last fragment.
        var total: Int?
        var fragments: Int
    }

    /// Datagrams in progress, oldest first.
    private var unfinished: [Unfinished] = []
    private var spareBuffers: [[UInt8]] = []
    private var bytesHeld = 0

    /// How many datagrams may be in progress, how many bytes they may hold, and how long one may take, in nanoseconds of capture time.
    /// The time is that of Linux (ipfrag_time).
    let datagramLimit: Int
    let byteLimit: Int
    let timeLimit: Int64

    /// The bytes after the IP header of the last datagram that became whole.
    private(set) var completed: [UInt8] = []

    /// Datagrams that were given up because they took too long or because the table was full.
    private(set) var abandoned = 0

    /// Datagrams in progress.
    var unfinishedCount: Int { unfinished.count }

    init(datagramLimit: Int = 256, byteLimit: Int = 4 << 20, timeLimit: Int64 = 30_000_000_000) {
        self.datagramLimit = datagramLimit
        self.byteLimit = byteLimit
        self.timeLimit = timeLimit
    }

    /// Takes a fragment whose bytes belong at `offset`; `isLast` says that none come after it.
    mutating func insert(_ bytes: UnsafeRawBufferPointer, at offset: Int, isLast: Bool, key: Key, time: Int64) -> Outcome {
        while let oldest = unfinished.first, time &- oldest.started > timeLimit { abandonOldest() }
        let range = offset..<offset + bytes.count
        let index: Int
        if let known = unfinished.firstIndex(where: { $0.key == key }) {
            index = known
        } else {
            index = start(key, at: time)
        }
        guard range.upperBound <= 65535, unfinished[index].accepts(bytes, range, isLast: isLast) else {
            remove(at: index)
            return .contradictory
        }
        bytesHeld += unfinished[index].store(bytes, range, isLast: isLast)
        if unfinished[index].isComplete {
            let fragments = unfinished[index].fragments
            bytesHeld -= unfinished[index].bytes.count
            var entry = unfinished.remove(at: index)
            swap(&entry.bytes, &completed)
            keep(entry.bytes)
            return .complete(fragments: fragments)
        }
        while bytesHeld > byteLimit { abandonOldest() }
        return .incomplete
    }

    private mutating func start(_ key: Key, at time: Int64) -> Int {
        if unfinished.count >= datagramLimit { abandonOldest() }
        var buffer = spareBuffers.popLast() ?? []
        buffer.removeAll(keepingCapacity: true)
        unfinished.append(Unfinished(key: key, started: time, bytes: buffer, received: [], total: nil, fragments: 0))
        return unfinished.count - 1
    }

    private mutating func abandonOldest() {
        remove(at: 0)
        abandoned += 1
    }

    private mutating func remove(at index: Int) {
        bytesHeld -= unfinished[index].bytes.count
        keep(unfinished.remove(at: index).bytes)
    }

    private mutating func keep(_ buffer: [UInt8]) {
        if spareBuffers.count < 8 { spareBuffers.append(buffer) }
    }
}

extension FragmentReassembler.Unfinished {
    var isComplete: Bool { total.map { received.count == 1 && received[0] == 0..<$0 } ?? false }

    /// Whether the fragment agrees with what is there: with the length, and byte by byte where it overlaps.
    /// Overlaps that differ are an attack or two datagrams of one identification (RFC 5722, RFC 1858); neither has a right reading.
    func accepts(_ fragment: UnsafeRawBufferPointer, _ range: Range<Int>, isLast: Bool) -> Bool {
        if let total {
            guard range.upperBound <= total, !isLast || range.upperBound == total else { return false }
        } else if isLast, let end = received.last?.upperBound, end > range.upperBound {
            return false
        }
        // Fragments before the last one are multiples of eight bytes long, and none is empty.
        guard isLast || (range.count % 8 == 0 && !range.isEmpty) else { return false }
        for known in received where known.overlaps(range) {
            let overlap = known.clamped(to: range)
            for position in overlap where bytes[position] != fragment[position - range.lowerBound] { return false }
        }
        return true
    }

    /// Stores the fragment and says by how many bytes the buffer grew.
    mutating func store(_ fragment: UnsafeRawBufferPointer, _ range: Range<Int>, isLast: Bool) -> Int {
        fragments += 1
        if isLast { total = range.upperBound }
        let before = bytes.count
        if bytes.count < range.upperBound { bytes.append(contentsOf: repeatElement(0, count: range.upperBound - bytes.count)) }
        bytes.withUnsafeMutableBytes { buffer in
            UnsafeMutableRawBufferPointer(rebasing: buffer[range]).copyMemory(from: fragment)
        }
        var merged = range
        var first = 0
        while first < received.count, received[first].upperBound < range.lowerBound { first += 1 }
        var end = first
        while end < received.count, received[end].lowerBound <= merged.upperBound {
            merged = min(merged.lowerBound, received[end].lowerBound)..<max(merged.upperBound, received[end].upperBound)
            end += 1
        }
        received.replaceSubrange(first..<end, with: CollectionOfOne(merged))
        return bytes.count - before
    }
}
