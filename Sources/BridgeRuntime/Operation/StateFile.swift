import Glibc

/// Numbers that survive a crash of the process, in a memory-mapped file: a store is one memory write, no system call.
///
/// It backs the promise that nothing is delivered twice after a restart of the bridge: the last reliable sequence per proxy and
/// sender, and the last ring sequence per processor. A crash of the host may lose the last writes; it counts as a partition.
public final class StateFile {
    /// What a number is.
    public enum Kind: UInt32, Sendable {
        /// `owner` is a legacy proxy, `subject` the sender whose last reliable sequence it is.
        case lastReliableSequence = 1
        /// `owner` is a Totem processor; `subject` is 0.
        case ringSequence = 2
    }

    /// Names a number.
    public struct Key: Hashable, Sendable {
        /// What it is.
        public var kind: Kind
        /// Node id of the engine that it belongs to.
        public var owner: UInt32
        /// Node id that it is about; 0 for none.
        public var subject: UInt32

        /// The key of `kind` for `owner` about `subject`.
        public init(_ kind: Kind, owner: UInt32, subject: UInt32 = 0) {
            self.kind = kind
            self.owner = owner
            self.subject = subject
        }
    }

    /// A number in the file. The kind is written last, so that a slot is either whole or free.
    private struct Slot {
        var kind: UInt32
        var owner: UInt32
        var subject: UInt32
        var reserved: UInt32
        var value: UInt64
    }

    private static let magic: UInt64 = 0x3153_5442_4749_5201
    private static let capacity = 8192

    private let path: String
    private let slots: UnsafeMutableBufferPointer<Slot>
    private let mapping: UnsafeMutableRawPointer
    private let descriptor: FileDescriptor
    private var places: [Key: Int] = [:]

    private static var size: Int { MemoryLayout<Slot>.stride * (capacity + 1) }

    /// Opens the file at `path`, or makes it with mode 0600. Only one process may have it open.
    public init(path: String) throws(SystemCallError) {
        self.path = path
        let number = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw SystemCallError("open state file \(path)", code: errno) }
        descriptor = FileDescriptor(owning: number)
        guard flock(number, LOCK_EX | LOCK_NB) == 0 else {
            throw SystemCallError("lock state file \(path): another bridge runs with it", code: errno)
        }
        guard ftruncate(number, off_t(Self.size)) == 0 else { throw SystemCallError("size state file \(path)", code: errno) }
        guard let start = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0), start != MAP_FAILED else {
            throw SystemCallError("map state file \(path)", code: errno)
        }
        mapping = start
        let first = start.bindMemory(to: Slot.self, capacity: Self.capacity + 1)
        slots = UnsafeMutableBufferPointer(start: first + 1, count: Self.capacity)
        if first.pointee.value != Self.magic {
            // New, or of something else: what it says cannot be relied on.
            memset(start, 0, Self.size)
            first.pointee.value = Self.magic
        }
        for (index, slot) in slots.enumerated() {
            guard let kind = Kind(rawValue: slot.kind) else { break }
            places[Key(kind, owner: slot.owner, subject: slot.subject)] = index
        }
    }

    deinit {
        munmap(mapping, Self.size)
    }

    /// The number for `key`; setting it is one memory write unless the key is new. A new key that finds the file full is not
    /// stored and counted in `refused`.
    public subscript(key: Key) -> UInt64? {
        get { places[key].map { slots[$0].value } }
        set {
            guard let value = newValue else { return }
            if let place = places[key] {
                slots[place].value = value
            } else {
                add(key, value)
            }
        }
    }

    /// New keys that found the file full.
    public private(set) var refused = 0

    /// Every number of `kind` that belongs to `owner`, by subject.
    public func all(_ kind: Kind, owner: UInt32) -> [UInt32: UInt64] {
        var result: [UInt32: UInt64] = [:]
        for (key, place) in places where key.kind == kind && key.owner == owner { result[key.subject] = slots[place].value }
        return result
    }

    private func add(_ key: Key, _ value: UInt64) {
        let place = places.count
        guard place < slots.count else {
            refused += 1
            return
        }
        slots[place].owner = key.owner
        slots[place].subject = key.subject
        slots[place].value = value
        slots[place].kind = key.kind.rawValue
        places[key] = place
    }
}
