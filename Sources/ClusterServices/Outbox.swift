import TotemWire
import WireFormat

/// Messages that wait to be handed to Totem, oldest first.
package struct Outbox: Sendable {
    private struct Entry: Sendable {
        var group: ServiceGroup
        var range: ByteRange
        /// Bytes of `range` in front of the payload.
        var prefixCount: Int
    }

    /// The largest service message is a joinlist of all processes that a node may have.
    private static let largestHead = CPGJoinList.prefixCount + ProcessGroupTable.processLimit * CPGJoinList.Entry.byteCount

    private let generation: TotemGeneration
    private var entries: [Entry] = []
    private var head = 0
    private var store: [UInt8] = []
    private var used = 0

    /// Bytes that wait.
    package private(set) var byteCount = 0

    /// Messages as a daemon of `generation` writes them.
    package init(of generation: TotemGeneration = .corosync3) {
        self.generation = generation
    }

    /// Whether nothing waits.
    package var isEmpty: Bool { head == entries.count }

    /// Appends `message` of a service, and `payload` behind it.
    package mutating func add<Message: ServiceStructure>(_ message: Message, payload: UnsafeRawBufferPointer? = nil) {
        var message = message
        message.header = message.header.restated(for: generation)
        add(message, to: .services, payload: payload)
    }

    /// Appends `message` as it is, and `payload` behind it.
    package mutating func add<Message: WireMessage>(
        _ message: Message,
        to group: ServiceGroup,
        payload: UnsafeRawBufferPointer? = nil
    ) {
        reclaim()
        var message = message
        // Nearly every head fits into the first room.
        for room in [2048, Self.largestHead] {
            makeRoom(room + (payload?.count ?? 0))
            guard let entry = write(&message, group, payload) else { continue }
            entries.append(entry)
            used = entry.range.end
            byteCount += entry.range.count
            return
        }
    }

    /// Writes a message behind the others; nil when the room does not suffice.
    private mutating func write<Message: WireMessage>(
        _ message: inout Message,
        _ group: ServiceGroup,
        _ payload: UnsafeRawBufferPointer?
    ) -> Entry? {
        let start = used
        return store.withUnsafeMutableBytes { bytes in
            var writer = WireWriter(bytes, offset: start)
            do throws(WireError) {
                try message.visit(&writer)
                let prefixCount = writer.offset - start
                if let payload { try writer.append(payload) }
                let range = ByteRange(start: start, count: writer.offset - start)
                return Entry(group: group, range: range, prefixCount: prefixCount)
            } catch {
                return nil
            }
        }
    }

    /// Hands over the oldest messages, each as its head and its payload, for as long as `body` takes them.
    package mutating func drain(_ body: (ServiceGroup, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool) {
        while head < entries.count {
            let entry = entries[head]
            let isTaken = store.withUnsafeBytes { bytes in
                let middle = entry.range.start + entry.prefixCount
                return body(
                    entry.group,
                    UnsafeRawBufferPointer(rebasing: bytes[entry.range.start..<middle]),
                    UnsafeRawBufferPointer(rebasing: bytes[middle..<entry.range.end])
                )
            }
            guard isTaken else { return }
            head += 1
            byteCount -= entry.range.count
        }
        entries.removeAll(keepingCapacity: true)
        head = 0
        used = 0
    }

    private mutating func makeRoom(_ count: Int) {
        let missing = count - (store.count - used)
        guard missing > 0 else { return }
        store += [UInt8](repeating: 0, count: max(store.count, missing))
    }

    /// Gives back the room of messages that have gone, once it is worth the move.
    private mutating func reclaim() {
        guard head > 0, head < entries.count, entries[head].range.start > used / 2 else { return }
        let gone = entries[head].range.start
        store.removeSubrange(..<gone)
        entries.removeSubrange(..<head)
        head = 0
        used -= gone
        for index in entries.indices { entries[index].range.start -= gone }
    }
}
