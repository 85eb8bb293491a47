import Glibc

/// Numbers that survive a crash of the process, in a memory-mapped file: a store is one memory write, no system call.
///
/// It backs the promise that nothing is delivered twice after a restart: the last reliable sequence taken from each legacy member,
/// and the last ring sequence of each processor. A crash of the host may lose the last writes; it counts as a partition.
public final class StateFile {
    /// What a number is.
    public enum Kind: UInt32, Sendable {
        /// The last reliable sequence number taken from a legacy member.
        case reliableSequence = 1
        /// The ring sequence number that a Totem processor stored last.
        case ringSequence = 2
    }

    /// Names a number: what it is, and of which node.
    private struct Key: Hashable {
        var kind: Kind
        var node: UInt32
    }

    /// A number in the file. The kind is written last, so that a slot is either whole or free.
    private struct Slot {
        var kind: UInt32
        var node: UInt32
        var value: UInt64
    }

    private static let magic: UInt64 = 0x3153_5442_4749_5202
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
        guard try Self.isOurs(number, path) else {
            throw SystemCallError(
                "use state file \(path): it holds something else; name another, or remove it if an older version has left it",
                code: EINVAL
            )
        }
        // With room on the disk for all of it: a write into a mapped file without is a signal that ends the process.
        let result = posix_fallocate(number, 0, off_t(Self.size))
        guard result == 0 else { throw SystemCallError("size state file \(path)", code: result) }
        guard let start = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0), start != MAP_FAILED else {
            throw SystemCallError("map state file \(path)", code: errno)
        }
        mapping = start
        let first = start.bindMemory(to: Slot.self, capacity: Self.capacity + 1)
        slots = UnsafeMutableBufferPointer(start: first + 1, count: Self.capacity)
        if first.pointee.value != Self.magic {
            memset(start, 0, Self.size)
            first.pointee.value = Self.magic
        }
        for (index, slot) in slots.enumerated() {
            guard let kind = Kind(rawValue: slot.kind), places.updateValue(index, forKey: Key(kind: kind, node: slot.node)) == nil else {
                break
            }
        }
    }

    /// Whether the file is empty, began to be made, or is of this format.
    private static func isOurs(_ number: Int32, _ path: String) throws(SystemCallError) -> Bool {
        var first = Slot(kind: 0, node: 0, value: 0)
        let count = pread(number, &first, MemoryLayout<Slot>.size, 0)
        guard count >= 0 else { throw SystemCallError("read state file \(path)", code: errno) }
        if count == 0 { return true }
        return count == MemoryLayout<Slot>.size && first.kind == 0 && first.node == 0 && (first.value == 0 || first.value == magic)
    }

    deinit {
        munmap(mapping, Self.size)
    }

    /// Stores the number of `kind` of `node`: one memory write, unless it is the first one. Returns false when the file is full.
    @discardableResult
    public func store(_ value: UInt64, _ kind: Kind, of node: UInt32) -> Bool {
        let key = Key(kind: kind, node: node)
        if let place = places[key] {
            slots[place].value = value
            return true
        }
        let place = places.count
        guard place < slots.count else { return false }
        slots[place].node = node
        slots[place].value = value
        slots[place].kind = kind.rawValue
        places[key] = place
        return true
    }

    /// Every number of `kind`, by node.
    public func all(_ kind: Kind) -> [UInt32: UInt64] {
        var result: [UInt32: UInt64] = [:]
        for (key, place) in places where key.kind == kind { result[key.node] = slots[place].value }
        return result
    }
}
