import WireFormat

/// Lists of the layout of 2005: room for 16 elements, of which a count elsewhere tells how many are in use. What the others hold is kept.
@usableFromInline
enum FixedRoom {
    /// Elements a list has room for (PROCESSOR_COUNT_MAX of 2005).
    @usableFromInline
    static var slots: Int { 16 }

    /// Divides what was read from the slots: the first `count` are in `used`, the others in `unused`.
    @inlinable
    static func divide<Element>(
        _ used: inout [Element],
        _ unused: inout [Element],
        count: Int32,
        field: StaticString,
        offset: Int
    ) throws(WireError) {
        // A writer has shown its own count, a describer has none.
        guard used.count != Int(count) else { return }
        guard count >= 0, Int(count) <= used.count else {
            throw WireError(.outOfBounds(value: Int(count), limit: slots), field: field, offset: offset)
        }
        unused = Array(used[Int(count)...]) + unused
        used.removeLast(used.count - Int(count))
    }
}

extension WireVisitor {
    /// The slots of a list: those in use, and the others. A reader puts all of them into `used`.
    @inlinable
    mutating func slots<Element: WireStructure>(
        _ name: StaticString,
        _ used: inout [Element],
        _ unused: inout [Element]
    ) throws(WireError) {
        var slots = InlineArray<16, Element>(repeating: Element())
        if Self.purpose == .write {
            guard used.count <= slots.count else {
                throw WireError(.outOfBounds(value: used.count, limit: slots.count), field: name, offset: offset)
            }
            for index in slots.indices {
                if index < used.count {
                    slots[index] = used[index]
                } else if index - used.count < unused.count {
                    slots[index] = unused[index - used.count]
                }
            }
        }
        try list(name, &slots)
        if Self.purpose == .read {
            used.removeAll(keepingCapacity: true)
            unused.removeAll(keepingCapacity: true)
            for index in slots.indices { used.append(slots[index]) }
        }
    }
}
