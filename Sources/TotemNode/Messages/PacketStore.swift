/// The bytes of packets that are waiting, or kept for retransmission: a slab of equal slots with a free list, so that storing a packet
/// allocates nothing once the slab has grown to what the ring needs.
struct PacketStore: Sendable {
    /// A stored packet.
    struct Handle: Sendable, Hashable {
        fileprivate var slot: Int32
    }

    /// Bytes that packets larger than a slot may occupy together. Nobody sends them over udp; the bound is against abuse.
    static let largePacketBudget = 16 << 20

    private let slotSize: Int
    private var slab: [UInt8] = []
    private var lengths: [Int32] = []
    private var free: [Int32] = []
    private var large: [Int32: [UInt8]] = [:]
    private var largeBytes = 0

    /// A store whose slots hold packets of up to `slotSize` bytes; larger ones are kept apart, within a budget.
    init(slotSize: Int) {
        self.slotSize = slotSize
    }

    /// Packets that are stored.
    var count: Int { lengths.count - free.count }

    /// Stores a packet of `count` bytes that `fill` writes; nil when the budget for large packets is spent.
    mutating func insert(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) -> Handle? {
        if count > slotSize {
            guard largeBytes + count <= Self.largePacketBudget else { return nil }
            largeBytes += count
        }
        let slot = takeSlot()
        lengths[Int(slot)] = Int32(count)
        let handle = Handle(slot: slot)
        if count > slotSize { large[slot] = [UInt8](repeating: 0, count: count) }
        withMutableBytes(handle, fill)
        return handle
    }

    /// Stores a copy of `bytes`.
    mutating func insert(_ bytes: UnsafeRawBufferPointer) -> Handle? {
        insert(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    /// Calls `body` with the bytes of a packet.
    func withBytes<Result>(_ handle: Handle, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let count = Int(lengths[Int(handle.slot)])
        if count > slotSize, let packet = large[handle.slot] { return try packet.withUnsafeBytes(body) }
        let start = Int(handle.slot) * slotSize
        return try slab.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
    }

    /// Calls `body` with the bytes of a packet, to be changed in place.
    mutating func withMutableBytes(_ handle: Handle, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        let count = Int(lengths[Int(handle.slot)])
        if count > slotSize {
            large[handle.slot]?.withUnsafeMutableBytes(body)
        } else {
            let start = Int(handle.slot) * slotSize
            slab.withUnsafeMutableBytes { body(UnsafeMutableRawBufferPointer(rebasing: $0[start..<start + count])) }
        }
    }

    /// Gives a packet's slot back.
    mutating func remove(_ handle: Handle) {
        let count = Int(lengths[Int(handle.slot)])
        if count > slotSize {
            large[handle.slot] = nil
            largeBytes -= count
        }
        lengths[Int(handle.slot)] = 0
        free.append(handle.slot)
    }

    private mutating func takeSlot() -> Int32 {
        if let slot = free.popLast() { return slot }
        let first = lengths.count
        let added = max(64, first)
        // An array, not `repeatElement`, which the library adds byte by byte: without optimisation that takes seconds, and the token is lost.
        slab.append(contentsOf: [UInt8](repeating: 0, count: added * slotSize))
        lengths.append(contentsOf: repeatElement(0, count: added))
        // Lowest slots are used first, so that a quiet ring touches little memory.
        free.reserveCapacity(first + added)
        for slot in (first + 1..<first + added).reversed() { free.append(Int32(slot)) }
        return Int32(first)
    }
}
