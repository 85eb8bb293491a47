import WireFormat

/// What an engine wants done, in order: datagrams to send and events to report.
///
/// The caller owns one buffer per engine, hands it to every call, carries out what it finds and empties it; the memory is
/// reused, so that an engine's steady state allocates nothing. `Destination` says where a datagram goes in the protocol's own
/// terms (the group, one endpoint, ...); the caller knows the sockets. Payloads of events lie in the same store as datagrams.
public struct Effects<Destination: Sendable, Event: Sendable>: Sendable {
    /// One thing to do.
    public enum Effect: Sendable {
        /// Send the bytes in `ByteRange` of the store.
        case transmit(ByteRange, to: Destination)
        /// Tell whoever runs the engine. Byte ranges inside the event refer to the store.
        case event(Event)
    }

    /// What is to be done, oldest first.
    public private(set) var effects: [Effect] = []

    private var store: [UInt8]

    private var used = 0

    /// An empty buffer whose store starts with room for `capacity` bytes and grows when it must.
    public init(capacity: Int = 65_536) {
        store = [UInt8](repeating: 0, count: capacity)
    }

    /// Whether there is nothing to do.
    public var isEmpty: Bool { effects.isEmpty }

    /// Forgets everything and keeps the memory.
    public mutating func removeAll() {
        effects.removeAll(keepingCapacity: true)
        used = 0
    }

    /// Calls `body` with the bytes of a datagram or payload; they are valid during the call only.
    public func withBytes<Result>(_ range: ByteRange, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        precondition(range.end <= used)
        return try store.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range.range])) }
    }

    /// A copy of the bytes of a datagram or payload.
    public func bytes(_ range: ByteRange) -> [UInt8] {
        precondition(range.end <= used)
        return Array(store[range.range])
    }

    /// Reports an event.
    public mutating func report(_ event: Event) {
        effects.append(.event(event))
    }

    /// Copies bytes into the store, for an event that refers to them or a datagram that is sent as it is.
    public mutating func keep(_ bytes: UnsafeRawBufferPointer) -> ByteRange {
        makeRoom(bytes.count)
        let range = ByteRange(start: used, count: bytes.count)
        store.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[range.range]).copyMemory(from: bytes) }
        used = range.end
        return range
    }

    /// Writes a message, and `payload` behind it, into the store.
    public mutating func keep<Message: WireStructure>(
        _ message: inout Message,
        byteOrder: ByteOrder = .little,
        payload: UnsafeRawBufferPointer? = nil
    ) throws(WireError) -> ByteRange {
        // A datagram cannot be longer than this, whatever the message claims.
        makeRoom(65_536 + (payload?.count ?? 0))
        let start = used
        var end = start
        var failure: WireError?
        store.withUnsafeMutableBytes { bytes in
            var writer = WireWriter(UnsafeMutableRawBufferPointer(rebasing: bytes[start...]), byteOrder: byteOrder)
            do throws(WireError) {
                try message.visit(&writer)
                if let payload { try writer.append(payload) }
                end = start + writer.offset
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        used = end
        return ByteRange(start: start, count: end - start)
    }

    /// Sends bytes that are in the store.
    public mutating func transmit(_ range: ByteRange, to destination: Destination) {
        effects.append(.transmit(range, to: destination))
    }

    private mutating func makeRoom(_ count: Int) {
        guard store.count - used < count else { return }
        store.append(contentsOf: repeatElement(0, count: max(store.count, count)))
    }
}
