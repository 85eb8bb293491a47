/// What of packets is looked at; what nobody asks for costs nothing.
public struct Interest: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Which message it is, of which dialect.
    public static let message = Interest(rawValue: 1)
    /// Who says it, in which ring, and the protocols above UDP.
    public static let origin = Interest(rawValue: 2)
    /// Messages that are completed above the outer protocol.
    public static let carried = Interest(rawValue: 4)
    /// What it says on one line, with problems and notes.
    public static let text = Interest(rawValue: 8)
    /// Every field.
    public static let fields = Interest(rawValue: 16)
    /// All of it.
    public static let everything: Interest = [.message, .origin, .carried, .text, .fields]
}
