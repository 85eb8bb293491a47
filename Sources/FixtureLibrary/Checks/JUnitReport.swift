/// The results as JUnit XML, which continuous integration servers read: a test suite for each fixture, a test case for each check.
public struct JUnitReport: Sendable {
    private let results: [FixtureResult]

    /// A report of `results`.
    public init(_ results: [FixtureResult]) {
        self.results = results
    }

    /// The document.
    public var text: String {
        let tests = results.reduce(0) { $0 + $1.checks.count }
        let failures = results.reduce(0) { $0 + $1.failures.count }
        let skips = results.reduce(0) { $0 + $1.skips.count }
        let time = results.reduce(0) { $0 + $1.seconds }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ringbridge fixtures\" tests=\"\(tests)\""
        text += " failures=\"\(failures)\" skipped=\"\(skips)\" time=\"\(yamlSeconds(time))\">\n"
        for result in results { text += suite(result) }
        return text + "</testsuites>\n"
    }

    private func suite(_ result: FixtureResult) -> String {
        let name = Self.escaped(result.fixture)
        var text = "  <testsuite name=\"\(name)\" tests=\"\(result.checks.count)\" failures=\"\(result.failures.count)\" errors=\"0\""
        text += " skipped=\"\(result.skips.count)\" time=\"\(yamlSeconds(result.seconds))\">\n"
        for check in result.checks {
            text += "    <testcase classname=\"\(name)\" name=\"\(Self.escaped(check.check))\""
            switch check.outcome {
            case .passed: text += "/>\n"
            case .failed(let reason): text += ">\n      <failure message=\"\(Self.escaped(reason))\"/>\n    </testcase>\n"
            case .skipped(let reason): text += ">\n      <skipped message=\"\(Self.escaped(reason))\"/>\n    </testcase>\n"
            }
        }
        return text + "  </testsuite>\n"
    }

    /// `text` as the content of an attribute. Control characters, which XML cannot hold, become U+FFFD.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            case "\t": result += "&#9;"
            default:
                let isAllowed = scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF
                result.unicodeScalars.append(isAllowed ? scalar : "\u{FFFD}")
            }
        }
        return result
    }
}
