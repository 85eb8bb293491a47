/// Packets that wait for the token, first in, first out: a ring buffer that grows up to a limit.
struct PacketQueue: Sendable {
    private var handles: [PacketStore.Handle?] = []
    private var head = 0
    private(set) var count = 0
    private let limit: Int

    /// A queue of at most `limit` packets.
    init(limit: Int) {
        self.limit = limit
    }

    var isEmpty: Bool { count == 0 }

    /// Packets that still fit.
    var room: Int { limit - count }

    /// Appends a packet; whoever calls has made sure that there is room.
    mutating func append(_ handle: PacketStore.Handle) {
        if count == handles.count { grow() }
        handles[(head + count) % handles.count] = handle
        count += 1
    }

    /// Takes the packet that has waited longest.
    mutating func popFirst() -> PacketStore.Handle? {
        guard count > 0 else { return nil }
        let handle = handles[head]
        handles[head] = nil
        head = (head + 1) % handles.count
        count -= 1
        return handle
    }

    private mutating func grow() {
        var larger: [PacketStore.Handle?] = []
        larger.reserveCapacity(max(64, 2 * handles.count))
        for index in 0..<count { larger.append(handles[(head + index) % handles.count]) }
        while larger.count < max(64, 2 * handles.count) { larger.append(nil) }
        handles = larger
        head = 0
    }
}
