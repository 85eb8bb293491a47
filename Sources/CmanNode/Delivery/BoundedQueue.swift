/// A first-in first-out queue that grows up to a bound and then refuses. It reuses its memory.
struct BoundedQueue<Element: Sendable>: Sendable {
    private var elements: [Element?] = []
    private var head = 0
    private(set) var count = 0
    let bound: Int

    init(bound: Int) {
        self.bound = bound
    }

    var isEmpty: Bool { count == 0 }

    var isFull: Bool { count == bound }

    var first: Element? { count == 0 ? nil : elements[head] }

    /// Appends an element; false when the queue is full.
    mutating func append(_ element: Element) -> Bool {
        guard !isFull else { return false }
        if count == elements.count {
            var grown: [Element?] = []
            let capacity = min(bound, max(16, 2 * count))
            grown.reserveCapacity(capacity)
            for index in 0..<count { grown.append(elements[(head + index) % elements.count]) }
            grown.append(contentsOf: repeatElement(nil, count: capacity - count))
            elements = grown
            head = 0
        }
        elements[(head + count) % elements.count] = element
        count += 1
        return true
    }

    mutating func removeFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = elements[head]
        elements[head] = nil
        head = (head + 1) % elements.count
        count -= 1
        return element
    }
}
