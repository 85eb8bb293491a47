/// A queue in an array: appends at the end, removes from the front, and reuses its memory.
package struct Fifo<Element> {
    private var elements: [Element?] = []
    private var head = 0

    package init() {}

    package var count: Int { elements.count - head }
    package var isEmpty: Bool { head == elements.count }
    package var first: Element? { isEmpty ? nil : elements[head] }

    package mutating func append(_ element: Element) {
        // Moves what is left to the front once the free part is as large as it: constant cost per element.
        if head > 32, head * 2 >= elements.count {
            elements.removeSubrange(..<head)
            head = 0
        }
        elements.append(element)
    }

    package mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[head].take()
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        }
        return element
    }

    package mutating func removeAll() {
        elements.removeAll()
        head = 0
    }
}

extension Fifo: Sendable where Element: Sendable {}
