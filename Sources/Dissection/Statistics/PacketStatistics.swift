/// Counts packets and tells the counts at the end. Tables are bounded; what no longer found room is told too.
public protocol PacketStatistics {
    /// Counts a packet.
    mutating func count(_ packet: Dissection)
    /// Appends the table to `text`.
    func append(to text: inout TextBuffer)
    /// How much of a packet it looks at.
    var depth: PacketDissector.Depth { get }
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

/// Counters by key, as many as there is room for; the rest is counted together.
struct BoundedTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private(set) var values: [Value] = []
    private(set) var keys: [Key] = []
    private var places: [Key: Int] = [:]
    /// The entry that was asked for last: packets of one kind come in a row.
    private var last = -1
    private let limit: Int
    /// Packets whose key found no room.
    private(set) var refused = PacketCount()

    init(limit: Int) {
        self.limit = limit
    }

    /// Changes the entry of `key`, which `empty` begins; `packet` is what is counted when there is no room for it.
    mutating func update(_ key: Key, empty: @autoclosure () -> Value, for packet: Dissection, _ change: (inout Value) -> Void) {
        if last >= 0, keys[last] == key {
            change(&values[last])
        } else if let place = places[key] {
            last = place
            change(&values[place])
        } else if values.count < limit {
            last = values.count
            places[key] = values.count
            keys.append(key)
            values.append(empty())
            change(&values[last])
        } else {
            refused.add(packet)
        }
    }
}

/// A message of a dialect, told apart by the place of its name in the program: names are constants.
struct MessageKey: Hashable, Sendable {
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
