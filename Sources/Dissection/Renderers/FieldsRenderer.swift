import WireFormat

/// Chosen fields, one line a packet: tshark's `-T fields`, and CSV.
public struct FieldsRenderer: PacketRenderer {
    /// How lines are written.
    public struct Options: Sendable {
        /// Which of several values are shown.
        public enum Occurrence: Sendable {
            case first, last, all
        }

        /// Whether the names stand in the first line.
        public var hasHeader = false
        /// Whether the output begins with the byte order mark of UTF-8.
        public var hasByteOrderMark = false
        /// What stands between fields.
        public var separator = UInt8(ascii: "\t")
        /// What stands between the values of one field.
        public var aggregator = UInt8(ascii: ",")
        /// Which values are shown.
        public var occurrence = Occurrence.all
        /// What stands around every field.
        public var quote: UInt8?
        /// Whether fields are quoted where they have to be, and lines end, as RFC 4180 says.
        public var isCSV = false

        /// tshark's own.
        public init() {}

        /// Comma-separated values with a header (RFC 4180).
        public static var csv: Options {
            var options = Options()
            options.hasHeader = true
            options.separator = UInt8(ascii: ",")
            options.isCSV = true
            return options
        }
    }

    /// What `-T csv` shows when no fields are chosen.
    public static let defaultNames = [
        "frame.number", "frame.time_epoch", "source", "destination", "dialect", "message", "node", "ring", "length", "summary", "problems",
        "notes",
    ]

    private let fields: [FieldReference]
    private let sources: [FieldReader.Source]
    private let options: Options
    private var reader: FieldReader
    private var scratch = TextBuffer()

    /// A renderer of `fields`.
    public init(_ fields: [FieldReference], options: Options = Options()) {
        self.fields = fields
        var reader = FieldReader()
        sources = fields.map { reader.source(of: $0) }
        self.reader = reader
        self.options = options
    }

    public var interest: Interest { [] }

    public var references: [FieldReference] { fields }

    public mutating func begin(to text: inout TextBuffer) {
        if options.hasByteOrderMark { text.append("\u{FEFF}") }
        guard options.hasHeader else { return }
        for (index, field) in fields.enumerated() {
            if index > 0 { text.append(byte: options.separator) }
            text.append(field.name)
        }
        text.append(options.isCSV ? "\r\n" : "\n")
    }

    public mutating func append(_ packet: Dissection, to text: inout TextBuffer) {
        // What is written as it is needs no detour.
        let isPlain = options.quote == nil && !options.isCSV && options.occurrence != .last
        for index in sources.indices {
            if index > 0 { text.append(byte: options.separator) }
            if isPlain {
                append(index, packet, to: &text)
            } else {
                appendQuoted(index, packet, to: &text)
            }
        }
        text.append(options.isCSV ? "\r\n" : "\n")
    }

    /// Appends the values of a field.
    private mutating func append(_ index: Int, _ packet: Dissection, to text: inout TextBuffer) {
        let (aggregator, wantsMore) = (options.aggregator, options.occurrence == .all)
        var isFirst = true
        reader.forEachValue(of: sources[index], in: packet) { datum, style in
            if !isFirst { text.append(byte: aggregator) }
            isFirst = false
            text.append(datum, style)
            return wantsMore
        }
    }

    private mutating func appendQuoted(_ index: Int, _ packet: Dissection, to text: inout TextBuffer) {
        scratch.removeAll()
        let options = options
        var isFirst = true
        reader.forEachValue(of: sources[index], in: packet) { datum, style in
            if options.occurrence == .last { scratch.removeAll() } else if !isFirst { scratch.append(byte: options.aggregator) }
            isFirst = false
            scratch.append(datum, style)
            return options.occurrence != .first
        }
        // A field that is not there has no quotes either, as with tshark.
        if !isFirst { appendScratch(to: &text) }
    }

    private func appendScratch(to text: inout TextBuffer) {
        var quote = options.quote
        if options.isCSV {
            let separator = options.separator
            let needsQuotes = scratch.bytes.contains { $0 == separator || $0 == UInt8(ascii: "\"") || $0 == 10 || $0 == 13 }
            quote = needsQuotes ? UInt8(ascii: "\"") : nil
        }
        guard let quote else { return text.append(bytes: scratch.bytes) }
        text.append(byte: quote)
        for byte in scratch.bytes {
            if byte == quote { text.append(byte: quote) }
            text.append(byte: byte)
        }
        text.append(byte: quote)
    }
}

extension TextBuffer {
    /// A value by itself, without any name for it: numbers in decimal, and with all digits in hexadecimal where the protocol has it so.
    mutating func append(_ datum: FieldDatum, _ style: FieldReader.Style) {
        switch datum {
        case .unsigned(let number):
            switch style.format {
            case .hexadecimal, .flags: append(hexadecimal: number, width: 2 * style.width)
            default: append(number)
            }
        case .signed(let number): append(number)
        case .time(let time): append(seconds: time)
        case .address(let address): append(address)
        case .text(let run): append(foreign: run)
        case .bytes(let run): append(run, style.format)
        case .present: append("1")
        }
    }
}
