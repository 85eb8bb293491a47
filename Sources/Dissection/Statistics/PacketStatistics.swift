/// Counts packets and tells the counts at the end. Tables are bounded; what no longer found room is told too.
public protocol PacketStatistics {
    /// Counts a packet.
    mutating func count(_ packet: Dissection)
    /// Appends the table to `text`.
    func append(to text: inout TextBuffer)
    /// What of packets it looks at.
    var interest: Interest { get }
}

/// Packets and bytes; bytes are those of frames on the wire.
struct PacketCount: Sendable, Hashable {
    var packets = 0
    var bytes = 0

    mutating func add(_ packet: Dissection) {
        packets += 1
        bytes += packet.frameLength.original
    }

    static func + (left: PacketCount, right: PacketCount) -> PacketCount {
        PacketCount(packets: left.packets + right.packets, bytes: left.bytes + right.bytes)
    }
}

/// A key of a table that packets are counted in.
protocol CountingKey: Hashable, Sendable {
    /// A few bits that differ between most keys and cost next to nothing. Only speed depends on them.
    var mixedBits: UInt64 { get }
}

extension UInt64 {
    /// Spreads what differs in any bit over the upper ones (Fibonacci hashing).
    var mixed: UInt64 { (self ^ self >> 32) &* 0x9E37_79B9_7F4A_7C15 }
}

/// Counters by key, as many as there is room for; the rest is counted together.
struct BoundedTable<Key: CountingKey, Value: Sendable>: Sendable {
    private(set) var values: [Value] = []
    private(set) var keys: [Key] = []
    /// Where every key is. Its hash is seeded: a recording made for it cannot make it slow.
    private var places: [Key: Int] = [:]
    /// Where keys were found last, by their mixed bits; few recordings have more kinds of packets than this has places.
    private var recent = [Int32](repeating: -1, count: recentCount)
    private let limit: Int
    /// Packets whose key found no room.
    private(set) var refused = PacketCount()

    private static var recentBits: UInt64 { 9 }
    private static var recentCount: Int { 1 << recentBits }

    init(limit: Int) {
        self.limit = limit
    }

    /// Changes the entry of `key`, which `empty` begins; `packet` is what is counted when there is no room for it.
    mutating func update(_ key: Key, empty: @autoclosure () -> Value, for packet: Dissection, _ change: (inout Value) -> Void) {
        let shortcut = Int(truncatingIfNeeded: key.mixedBits.mixed >> (64 - Self.recentBits))
        let place = Int(recent[shortcut])
        if place >= 0, keys[place] == key {
            change(&values[place])
        } else if let place = places[key] {
            recent[shortcut] = Int32(truncatingIfNeeded: place)
            change(&values[place])
        } else if values.count < limit {
            let place = values.count
            recent[shortcut] = Int32(truncatingIfNeeded: place)
            places[key] = place
            keys.append(key)
            values.append(empty())
            change(&values[place])
        } else {
            refused.add(packet)
        }
    }
}

/// A message of a dialect, told apart by the place of its name in the program: names are constants.
struct MessageKey: CountingKey {
    let dialect: Dialect?
    let message: StaticString

    init(_ packet: Dissection) {
        dialect = packet.dialect
        message = packet.message
    }

    /// A carried message, whatever the dialect.
    init(carried message: StaticString) {
        dialect = nil
        self.message = message
    }

    /// The message's name.
    var name: String { message.description }

    var mixedBits: UInt64 { UInt64(UInt(bitPattern: message.utf8Start)) }

    static func == (left: MessageKey, right: MessageKey) -> Bool {
        left.dialect == right.dialect && left.message.isEqual(to: right.message)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(dialect)
        hasher.combine(bytes: UnsafeRawBufferPointer(start: message.utf8Start, count: message.utf8CodeUnitCount))
    }

    /// By dialect, oldest first, and name; what belongs to no dialect comes last.
    static func precedes(_ left: MessageKey, _ right: MessageKey) -> Bool {
        func place(_ dialect: Dialect?) -> Int { dialect.flatMap { Dialect.allCases.firstIndex(of: $0) } ?? Int.max }
        return (place(left.dialect), left.message.description) < (place(right.dialect), right.message.description)
    }
}

/// Lines of columns that are as wide as their widest entry.
struct TextTable {
    private var rows: [[String]] = []
    private let numbers: Set<Int>

    /// A table with `headings`; the columns in `numbers` are set flush right.
    init(_ headings: [String], numbers: Set<Int>) {
        rows = [headings]
        self.numbers = numbers
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    func append(to text: inout TextBuffer) {
        let columns = rows[0].indices
        let widths = columns.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            for column in columns {
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                let isLast = column == columns.last
                text.append(numbers.contains(column) ? space + row[column] : row[column] + (isLast ? "" : space))
                if !isLast { text.append("  ") }
            }
            text.append("\n")
        }
    }
}

extension TextBuffer {
    /// What found no room in a table.
    mutating func append(refused: PacketCount) {
        guard refused.packets > 0 else { return }
        append("and ")
        append(refused.packets)
        append(" packets of ")
        append(refused.bytes)
        append(" bytes for which the table has no room\n")
    }
}
