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

    private var entries: [Entry] = []
    private var head = 0
    private var store: [UInt8] = []

    /// Bytes that wait.
    package private(set) var byteCount = 0

    package init() {}

    /// Whether nothing waits.
    package var isEmpty: Bool { head == entries.count }

    /// Appends `message`, and `payload` behind it.
    package mutating func add<Message: WireMessage>(
        _ message: Message,
        to group: ServiceGroup = .services,
        payload: UnsafeRawBufferPointer? = nil
    ) {
        reclaim()
        var message = message
        let start = store.count
        var room = 2048 + (payload?.count ?? 0)
        while true {
            store.append(contentsOf: repeatElement(0, count: room))
            var end: Int?
            var prefixCount = 0
            store.withUnsafeMutableBytes { bytes in
                var writer = WireWriter(UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
                do throws(WireError) {
                    try message.visit(&writer)
                    prefixCount = writer.offset
                    if let payload { try writer.append(payload) }
                    end = start + writer.offset
                } catch {
                    end = nil
                }
            }
            guard let end else {
                // Only a joinlist can be longer than the first guess; the layouts of the services have no other way to fail.
                store.removeSubrange(start...)
                room *= 2
                guard room <= 1 << 24 else { return }
                continue
            }
            store.removeSubrange(end...)
            entries.append(Entry(group: group, range: ByteRange(start: start, count: end - start), prefixCount: prefixCount))
            byteCount += end - start
            return
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
        store.removeAll(keepingCapacity: true)
        head = 0
    }

    /// Gives back the room of messages that have gone, once it is worth the move.
    private mutating func reclaim() {
        guard head > 0, head < entries.count, entries[head].range.start > store.count / 2 else { return }
        let gone = entries[head].range.start
        store.removeSubrange(..<gone)
        entries.removeSubrange(..<head)
        head = 0
        for index in entries.indices { entries[index].range.start -= gone }
    }
}
