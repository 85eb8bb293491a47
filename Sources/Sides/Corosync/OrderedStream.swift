import TotemNode

/// Where a processor stands in the total order of each port's messages.
///
/// Every proxy's processor delivers the messages of the groups that it has joined, each at its own moment, and a ring change may
/// find them at different places. But between two events that all of them see at the same place of the total order (a regular
/// configuration, the end of synchronisation, a change of the group) they deliver the same messages of a group. So the running
/// number of a message since the last such event names it for all of them.
package struct OrderedStream: Sendable {
    /// Names the stretch between two such events.
    package struct Stretch: Sendable, Hashable {
        var ring: TotemRingID
        /// The ring that comes next, after a transitional configuration: only those who go there together deliver the same.
        var next: TotemRingID?
        var isSynchronised: Bool
        var port: UInt8
        /// Changes of the group since synchronisation.
        var changes: UInt32
    }

    package private(set) var ring = TotemRingID(representative: 0, sequence: 0)
    private var next: TotemRingID?
    private var isSynchronised = false
    private var changes = [UInt32](repeating: 0, count: 256)
    private var counts = [UInt64](repeating: 0, count: 256)

    package init() {}

    package mutating func membership(_ membership: TotemMembership) {
        if membership.isTransitional {
            next = membership.ring
        } else {
            ring = membership.ring
            next = nil
            isSynchronised = false
        }
        restart()
    }

    package mutating func synchronised() {
        isSynchronised = true
        restart()
        for port in changes.indices { changes[port] = 0 }
    }

    /// The membership of the group of `port` changed.
    package mutating func groupChanged(_ port: UInt8) {
        // What synchronisation brings to light differs from processor to processor.
        guard isSynchronised, next == nil else { return }
        changes[Int(port)] += 1
        counts[Int(port)] = 0
    }

    /// A message of `port` was delivered, or would have been to a process in its group: its name.
    package mutating func delivered(_ port: UInt8) -> (stretch: Stretch, number: UInt64) {
        counts[Int(port)] += 1
        let stretch = Stretch(ring: ring, next: next, isSynchronised: isSynchronised, port: port, changes: changes[Int(port)])
        return (stretch, counts[Int(port)])
    }

    private mutating func restart() {
        for port in counts.indices { counts[port] = 0 }
    }
}

/// Which ordered messages were reported already, whichever processor delivered them first.
package struct ReportedMessages: Sendable {
    private var numbers: [OrderedStream.Stretch: UInt64] = [:]

    package init() {}

    /// Whether the message `number` of `stretch` is new; it counts as reported from now on.
    package mutating func take(_ stretch: OrderedStream.Stretch, _ number: UInt64) -> Bool {
        guard number > numbers[stretch] ?? 0 else { return false }
        if numbers[stretch] == nil, numbers.count >= Self.longestMemory { forgetOld(stretch) }
        numbers[stretch] = number
        return true
    }

    /// Groups may change as often as programs please while a ring lasts. Processors are at most about a rotation of the token apart.
    private static let longestMemory = 16_384
    private static let changesApart: UInt32 = 64

    private mutating func forgetOld(_ newest: OrderedStream.Stretch) {
        numbers = numbers.filter { $0.key.port != newest.port || $0.key.changes &+ Self.changesApart >= newest.changes }
    }

    /// Forgets rings that no processor is on any more.
    package mutating func keep(rings: Set<TotemRingID>) {
        numbers = numbers.filter { rings.contains($0.key.ring) }
    }
}
