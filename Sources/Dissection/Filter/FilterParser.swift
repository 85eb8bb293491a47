/// Compiles the text of a filter.
///
///     expression = conjunction { ("or" | "||") conjunction }
///     conjunction = term { ("and" | "&&") term }
///     term = ("not" | "!") term | "(" expression ")" | test
///     test = ["any" | "all"] name [ comparison value | "contains" value | "in" "{" item { "," item } "}" | "&" value ]
///     item = value [ ".." value ]
struct FilterParser {
    private(set) var nodes: [DisplayFilter.Node] = []
    private(set) var tests: [FilterTest] = []
    private var scanner: FilterScanner
    private var depth = 0
    private let catalogue: FieldCatalogue

    /// Bounds of what is compiled, far above what people write.
    private static let depthLimit = 100
    private static let nodeLimit = 2000

    init(_ text: String, catalogue: FieldCatalogue) {
        scanner = FilterScanner(text)
        self.catalogue = catalogue
    }

    /// The node that stands for the whole filter.
    mutating func parse() throws(FilterError) -> Int {
        let root = try expression()
        scanner.skipSpace()
        guard scanner.isAtEnd else { throw scanner.failure("and, or, or the end of the filter is expected here", scanner.here) }
        return root
    }

    private mutating func add(_ node: DisplayFilter.Node) throws(FilterError) -> Int {
        guard nodes.count < Self.nodeLimit else { throw scanner.failure("the filter is too long", scanner.here) }
        nodes.append(node)
        return nodes.count - 1
    }

    private mutating func expression() throws(FilterError) -> Int {
        var left = try conjunction()
        while scanner.take("||") || scanner.take(word: "or") {
            let right = try conjunction()
            left = try add(.or(left, right))
        }
        return left
    }

    private mutating func conjunction() throws(FilterError) -> Int {
        var left = try term()
        while scanner.take("&&") || scanner.take(word: "and") {
            let right = try term()
            left = try add(.and(left, right))
        }
        return left
    }

    private mutating func term() throws(FilterError) -> Int {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw scanner.failure("the filter has too many brackets", scanner.here) }
        if scanner.take("!") || scanner.take(word: "not") {
            let operand = try term()
            return try add(.not(operand))
        }
        let bracket = scanner.here
        if scanner.take("(") {
            let inside = try expression()
            guard scanner.take(")") else { throw scanner.failure("the bracket that opens here is not closed", bracket) }
            return inside
        }
        tests.append(try test())
        return try add(.test(tests.count - 1))
    }

    // MARK: tests

    private static let comparisons: [(String, (FilterTest.Comparison, isForAll: Bool))] = [
        ("===", (.equal, true)), ("!==", (.notEqual, false)), ("~=", (.notEqual, false)), ("==", (.equal, false)),
        ("!=", (.notEqual, true)), ("<=", (.lessOrEqual, false)), (">=", (.greaterOrEqual, false)), ("<", (.less, false)),
        (">", (.greater, false)),
    ]
    private static let comparisonWords: [String: (FilterTest.Comparison, isForAll: Bool)] = [
        "eq": (.equal, false), "any_eq": (.equal, false), "all_eq": (.equal, true), "ne": (.notEqual, true), "all_ne": (.notEqual, true),
        "any_ne": (.notEqual, false), "lt": (.less, false), "le": (.lessOrEqual, false), "gt": (.greater, false),
        "ge": (.greaterOrEqual, false),
    ]

    private mutating func test() throws(FilterError) -> FilterTest {
        var quantifier: Bool?
        if let next = scanner.peekName(), catalogue.reference(next.name) == nil {
            if scanner.take(word: "any") { quantifier = false } else if scanner.take(word: "all") { quantifier = true }
        }
        guard let (name, range) = scanner.takeName() else {
            throw scanner.failure(scanner.isAtEnd ? "the filter ends too early" : "the name of a field is expected here", scanner.here)
        }
        guard let field = catalogue.reference(name) else { throw unknown(name, range) }
        let values = FilterValues(field: field, nameRange: range, scanner: scanner, catalogue: catalogue)

        if scanner.take(word: "contains") {
            let literal = try scanner.takeValue()
            return FilterTest(field: field, isForAll: quantifier ?? false, relation: .contains(SearchedBytes(try values.searched(literal))))
        }
        if let word = scanner.peekName(), word.name == "matches" {
            throw scanner.failure("matches is not supported; use contains", word.range)
        }
        if scanner.take(word: "in") {
            return FilterTest(field: field, isForAll: quantifier ?? false, relation: .isIn(try items(values)))
        }
        if let (comparison, isForAll) = takeComparison() {
            let constant = try values.constant(try scanner.takeValue(), comparison)
            return FilterTest(field: field, isForAll: quantifier ?? isForAll, relation: .compares(comparison, constant))
        }
        scanner.skipSpace()
        let rest = scanner.here
        if !scanner.take("&&"), scanner.take("&") {
            return FilterTest(field: field, isForAll: quantifier ?? false, relation: try values.bits(try scanner.takeValue()))
        }
        scanner.rewind(to: rest.lowerBound)
        return FilterTest(field: field, isForAll: false, relation: .isPresent)
    }

    private mutating func takeComparison() -> (FilterTest.Comparison, isForAll: Bool)? {
        if let found = scanner.takeOne(of: Self.comparisons) { return found }
        guard let word = scanner.peekName(), let found = Self.comparisonWords[word.name.lowercased()] else { return nil }
        _ = scanner.takeName()
        return found
    }

    private mutating func items(_ values: FilterValues) throws(FilterError) -> [(first: FilterConstant, last: FilterConstant)] {
        guard scanner.take("{") else { throw scanner.failure("in needs values in braces, as in {1, 3, 5..9}", scanner.here) }
        var items: [(first: FilterConstant, last: FilterConstant)] = []
        repeat {
            let literal = try scanner.takeValue()
            if scanner.take("..") {
                let first = try values.constant(literal, .greaterOrEqual)
                items.append((first, try values.constant(try scanner.takeValue(), .lessOrEqual)))
            } else {
                let constant = try values.constant(literal, .equal)
                items.append((constant, constant))
            }
            _ = scanner.take(",")
        } while !scanner.take("}")
        return items
    }

    private func unknown(_ name: String, _ range: Range<Int>) -> FilterError {
        let like = catalogue.names(like: name)
        let advice = like.isEmpty ? "`ringbridge fields` lists all" : "did you mean \(like.joined(separator: ", or "))?"
        return scanner.failure("there is no field \(name); \(advice)", range)
    }
}
