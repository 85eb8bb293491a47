/// The messages of one ring by sequence number: a window of fixed size that moves on as messages are released
/// (QUEUE_RTR_ITEMS_SIZE_MAX, reference/totem-engine.md 1).
struct SortQueue: Sendable {
    /// Size of the window; a power of two, so that the place of a number survives its roll-over.
    static let windowSize = 16384

    private struct Slot: Sendable {
        var packet: PacketStore.Handle?
        /// Visits of the token at which the message was missing.
        var missCount: UInt8 = 0
    }

    private var slots = [Slot](repeating: Slot(), count: SortQueue.windowSize)

    /// The lowest sequence number in the window.
    private(set) var head: UInt32

    /// An empty window that begins at `head`.
    init(head: UInt32) {
        self.head = head
    }

    private func index(_ sequence: UInt32) -> Int { Int(sequence) & (Self.windowSize - 1) }

    /// Whether `sequence` lies in the window.
    func contains(_ sequence: UInt32) -> Bool {
        Int(sequence &- head) < Self.windowSize
    }

    /// The message with number `sequence`, if it is in the window and present.
    subscript(sequence: UInt32) -> PacketStore.Handle? {
        contains(sequence) ? slots[index(sequence)].packet : nil
    }

    /// Puts a message in its place. The place must be in the window and free.
    mutating func insert(_ packet: PacketStore.Handle, at sequence: UInt32) {
        precondition(self[sequence] == nil && contains(sequence))
        slots[index(sequence)] = Slot(packet: packet)
    }

    /// Takes the message with number `sequence` out, if it is present.
    mutating func remove(_ sequence: UInt32) -> PacketStore.Handle? {
        guard let packet = self[sequence] else { return nil }
        slots[index(sequence)] = Slot()
        return packet
    }

    /// Counts one more visit of the token at which `sequence` was missing.
    mutating func countMiss(of sequence: UInt32) -> UInt8 {
        let place = index(sequence)
        if slots[place].missCount < .max { slots[place].missCount += 1 }
        return slots[place].missCount
    }

    /// Forgets every message up to `last` and moves the window behind it.
    mutating func release(upTo last: UInt32, from store: inout PacketStore) {
        guard !precedes(last, head) else { return }
        for offset in 0..<min(Int(last &- head) + 1, Self.windowSize) {
            let place = index(head &+ UInt32(offset))
            if let packet = slots[place].packet { store.remove(packet) }
            slots[place] = Slot()
        }
        head = last &+ 1
    }

    /// Forgets every message and begins again at `newHead`.
    mutating func removeAll(newHead: UInt32, from store: inout PacketStore) {
        release(upTo: head &+ UInt32(Self.windowSize - 1), from: &store)
        head = newHead
    }
}
