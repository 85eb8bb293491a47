import EngineKit

/// What is going to happen, in order of time; what is due at the same time happens in the order in which it was scheduled.
///
/// A binary heap over one array: scheduling and taking cost O(log n) and allocate nothing once the array has grown.
package struct EventQueue {
    /// Something that is going to happen.
    package enum Event {
        /// A packet reaches a host.
        case arrival(packet: PacketPool.Slot, host: Int)
        /// A host's timer may be due.
        case wake(host: Int)
        /// A step of the script, or one that the run itself scheduled.
        case step(Int)
    }

    private struct Entry {
        var time: Instant
        var sequence: UInt64
        var event: Event

        func precedes(_ other: Entry) -> Bool {
            time == other.time ? sequence < other.sequence : time < other.time
        }
    }

    private var heap: [Entry] = []

    private var scheduled: UInt64 = 0

    /// Nothing is going to happen.
    package init() {}

    /// When the next event happens.
    package var nextTime: Instant? { heap.first?.time }

    package mutating func schedule(_ event: Event, at time: Instant) {
        scheduled += 1
        heap.append(Entry(time: time, sequence: scheduled, event: event))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    package mutating func takeNext() -> (time: Instant, event: Event)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return (first.time, first.event)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var smallest = 2 * parent + 1
            guard smallest < heap.count else { return }
            if smallest + 1 < heap.count, heap[smallest + 1].precedes(heap[smallest]) { smallest += 1 }
            guard heap[smallest].precedes(heap[parent]) else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
