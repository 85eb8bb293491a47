import WireFormat

/// The values of selected fields in one packet, in the order in which they were read.
///
/// While a packet is read it follows the names of what is read through the selection. What is not wanted is told apart by one bit nearly
/// always.
struct SelectedValues {
    /// What was found.
    enum Content {
        /// A protocol, structure or list is there.
        case present
        case unsigned(UInt64)
        case signed(Int64)
        /// By place among the bytes of the field tree.
        case bytes(Range<Int>)
    }

    /// One value of a field.
    struct Value {
        var content: Content
        /// How it is shown, by the number of the field tree's format.
        var format: Int32
        /// Bytes that it takes on the wire.
        var width: Int32
        /// The field, and where its next value is; -1 behind the last.
        var field: Int32
        var next: Int32
    }

    /// Where the reader is.
    private struct Scope {
        /// The part of a wanted name that it is at.
        var part: Int32
        /// Whether the innermost structure has a name of its own; elements of lists have none.
        var isNamed: Bool
        /// The bits of the names that are wanted in it.
        var bits: UInt64
    }

    /// The values, of which the first `count` are of this packet; the memory of the others is used again.
    private var values: [Value] = []
    private var count = 0
    /// The first and last value of every field; -1 without one.
    private var first: [Int32] = []
    private var last: [Int32] = []
    /// Where the reader is, while that can lead to what is wanted.
    private var scope: Scope
    /// The scopes around it.
    private var outer: [Scope] = []
    /// How many scopes lead nowhere.
    private var strayed = 0
    /// The bits of the names that are wanted here; none where the reader has strayed.
    private var bits: UInt64 = 0
    /// What is wanted.
    private let selection: FieldSelection?

    /// The values of `selection`; nothing is wanted without.
    init(_ selection: FieldSelection?) {
        self.selection = selection
        let root = selection?.parts[Int(FieldSelection.root)] ?? FieldSelection.Part()
        scope = Scope(part: FieldSelection.root, isNamed: false, bits: root.bits)
        bits = root.bits
        first = [Int32](repeating: -1, count: selection?.numberCount ?? 0)
        last = first
    }

    /// Whether something called `name` may be wanted here.
    @inline(__always)
    func mayWant(_ name: StaticString) -> Bool { bits & FieldSelection.bit(of: name) != 0 }

    /// Forgets the packet before.
    mutating func removeAll() {
        if strayed > 0 || !outer.isEmpty {
            if let outermost = outer.first { scope = outermost }
            outer.removeAll(keepingCapacity: true)
            strayed = 0
            bits = scope.bits
        }
        for index in 0..<count { first[Int(values[index].field)] = -1 }
        count = 0
    }

    /// A protocol, structure or list begins.
    @inline(__always)
    mutating func begin(_ name: StaticString) {
        if mayWant(name) { follow(name) } else { stray() }
    }

    private mutating func stray() {
        strayed += 1
        bits = 0
    }

    private mutating func follow(_ name: StaticString) {
        guard let selection, let place = selection.next(scope.part, name) else { return stray() }
        let part = selection.parts[Int(place)]
        if let group = part.group { append(.present, as: group, format: 0, width: 0) }
        outer.append(scope)
        scope = Scope(part: place, isNamed: true, bits: part.bits)
        bits = part.bits
    }

    /// An element of a list begins.
    mutating func beginElement() {
        guard strayed == 0 else { return stray() }
        outer.append(scope)
        scope.isNamed = false
    }

    /// The innermost of them ends.
    mutating func end() {
        if strayed > 0 {
            strayed -= 1
            guard strayed == 0 else { return }
        } else if let around = outer.popLast() {
            scope = around
        }
        bits = scope.bits
    }

    /// The number of the field called `name` at this place; nil when it is not wanted.
    func field(_ name: StaticString) -> Int32? {
        guard let selection else { return nil }
        if let part = selection.next(scope.part, name) { return selection.parts[Int(part)].field }
        // A list of plain values has fields of its own name.
        guard scope.isNamed else { return nil }
        let list = selection.parts[Int(scope.part)]
        return list.field != nil && list.name.isEqual(to: name) ? list.field : nil
    }

    mutating func append(_ content: Content, as field: Int32, format: Int32, width: Int) {
        let place = Int32(truncatingIfNeeded: count)
        let value = Value(content: content, format: format, width: Int32(truncatingIfNeeded: width), field: field, next: -1)
        if count < values.count { values[count] = value } else { values.append(value) }
        count += 1
        if first[Int(field)] < 0 { first[Int(field)] = place } else { values[Int(last[Int(field)])].next = place }
        last[Int(field)] = place
    }

    /// The place of the first value of `field`; -1 when there is none.
    func firstPlace(of field: Int32) -> Int32 { first.indices.contains(Int(field)) ? first[Int(field)] : -1 }

    /// The value at `place`, which `firstPlace` or the value before has told.
    subscript(place: Int32) -> Value { values[Int(place)] }
}
