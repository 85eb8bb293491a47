/// A message of which fragments are missing.
struct KnetFragments {
    /// What a fragment did.
    enum Outcome {
        case stored
        case repeated
        case complete
        /// It contradicts those that came before.
        case contradictory
    }

    /// KNET_MAX_PACKET_SIZE: no message is longer.
    static let messageLimit = 65_536

    /// How many fragments it has.
    let count: Int
    /// How many have come.
    private(set) var received = 0
    /// What has come, each fragment in its place; the last one waits in `last` until the others' size is known.
    private var bytes: [UInt8]
    private var last: [UInt8] = []
    private var hasLast = false
    private var size: Int?
    private var present: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// A message of `count` fragments; `buffer` is memory to be used again.
    init(count: Int, buffer: consuming [UInt8]) {
        self.count = count
        bytes = buffer
        bytes.removeAll(keepingCapacity: true)
    }

    /// Memory that it holds.
    var bytesHeld: Int { bytes.count + last.count }

    /// Takes the fragment `sequence`, from 1 to `count`. All have one size but for the last one (threads_rx.c:124-257@kn).
    mutating func add(_ fragment: UnsafeRawBufferPointer, sequence: Int) -> Outcome {
        guard !isPresent(sequence) else { return .repeated }
        if sequence == count {
            last.append(contentsOf: fragment)
            hasLast = true
        } else {
            guard fragment.count > 0, size == nil || size == fragment.count else { return .contradictory }
            size = fragment.count
        }
        if let size {
            guard (count - 1) * size + last.count <= Self.messageLimit, !hasLast || last.count <= size else { return .contradictory }
            if sequence < count { store(fragment, at: (sequence - 1) * size) }
        }
        markPresent(sequence)
        received += 1
        guard received == count, let size else { return .stored }
        last.withUnsafeBytes { store($0, at: (count - 1) * size) }
        return .complete
    }

    /// Hands over what has come, in exchange for memory to be used again.
    mutating func exchange(_ buffer: inout [UInt8]) {
        swap(&bytes, &buffer)
    }

    private mutating func store(_ fragment: UnsafeRawBufferPointer, at offset: Int) {
        let end = offset + fragment.count
        if bytes.count < end { bytes.append(contentsOf: repeatElement(0, count: end - bytes.count)) }
        bytes.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[offset..<end]).copyMemory(from: fragment) }
    }

    private func isPresent(_ sequence: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(sequence & 63)
        switch sequence >> 6 {
        case 0: return present.0 & bit != 0
        case 1: return present.1 & bit != 0
        case 2: return present.2 & bit != 0
        default: return present.3 & bit != 0
        }
    }

    private mutating func markPresent(_ sequence: Int) {
        let bit: UInt64 = 1 << UInt64(sequence & 63)
        switch sequence >> 6 {
        case 0: present.0 |= bit
        case 1: present.1 |= bit
        case 2: present.2 |= bit
        default: present.3 |= bit
        }
    }
}
