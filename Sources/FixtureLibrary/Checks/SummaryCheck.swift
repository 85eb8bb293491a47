import Dissection

/// Compares the lines that the decoder prints with those that are kept.
struct SummaryCheck {
    private let expected: [Substring]
    private let hasSummary: Bool
    private var lines = 0
    private var difference: String?
    private var text = TextBuffer()

    /// A comparison with the text `summary`; nil compares nothing.
    init(_ summary: String?) {
        expected = summary?.split(separator: "\n") ?? []
        hasSummary = summary != nil
    }

    /// Looks at one packet.
    mutating func take(_ packet: Dissection) {
        guard hasSummary, difference == nil else { return }
        text.removeAll()
        TextRenderer().append(packet, to: &text)
        let line = String(decoding: text.bytes.dropLast(), as: UTF8.self)
        if lines >= expected.count {
            difference = "line \(lines + 1) is «\(line)», and should not be there"
        } else if expected[lines] != line {
            difference = "line \(lines + 1) is «\(line)», not «\(expected[lines])»"
        }
        lines += 1
    }

    /// Every line is as it was.
    var outcome: CheckOutcome {
        guard hasSummary else { return .skipped("no summary is kept") }
        if let difference { return .failed(difference) }
        if lines < expected.count { return .failed("line \(lines + 1) «\(expected[lines])» is missing") }
        return .passed("\(lines) lines")
    }
}
