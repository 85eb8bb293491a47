/// All requirements: the tables of `docs/requirements.md`.
///
/// A row reads `| CMAN-4.11-1 | MUST | what is demanded | evidence |`. Evidence is words in backticks, of which all must be met; a dash
/// says that no capture can show it.
public struct RequirementCatalogue: Sendable {
    /// The requirements in the order of the page.
    public let requirements: [Requirement]
    private let index: [String: Int]

    /// Reads the page `text`; `file` names it in errors.
    public init(page text: String, file: String) throws(FixtureError) {
        var requirements: [Requirement] = []
        var index: [String: Int] = [:]
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard line.hasPrefix("| "), line.dropFirst(2).prefix(while: { $0 != " " }).contains("-") else { continue }
            let place = "\(file):\(number + 1)"
            let cells = line.split(separator: "|").map { $0.trimmingBlanks }
            guard cells.count == 4 else { throw FixtureError(place, "a row has four cells: id, level, demand, evidence") }
            // The line under a table's head.
            if cells[0].allSatisfy({ $0 == "-" }) { continue }
            let id = String(cells[0])
            guard id.split(separator: "-").count == 3 else { throw FixtureError(place, "\(id) is no id: PROTOCOL-SECTION-NUMBER") }
            guard let level = Requirement.Level(rawValue: String(cells[1])) else {
                throw FixtureError(place, "\(cells[1]) is neither MUST nor SHOULD")
            }
            guard index[id] == nil else { throw FixtureError(place, "\(id) is there twice") }
            var evidence: [Evidence] = []
            for word in cells[3].split(separator: " ") where word != "-" {
                guard word.first == "`", word.last == "`", word.count > 2, let sign = Evidence(word.dropFirst().dropLast()) else {
                    throw FixtureError(place, "\(word) is no evidence")
                }
                evidence.append(sign)
            }
            index[id] = requirements.count
            requirements.append(Requirement(id: id, level: level, text: String(cells[2]), evidence: evidence))
        }
        self.requirements = requirements
        self.index = index
    }

    /// The requirement `id`.
    public subscript(id: String) -> Requirement? { index[id].map { requirements[$0] } }
}
