import ArgumentParser
import Dissection

/// What `decode` writes: the options that are tshark's own.
struct DecodeOutput: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, fields, csv, json, ndjson, ek, pdml
    }

    @Option(name: .customShort("T"), help: "text, fields, csv, json, ndjson, ek or pdml.")
    var format = Format.text

    @Flag(name: .customShort("V"), help: "With -T text: show all fields of every packet.")
    var showsFields = false

    @Flag(name: .customShort("x"), help: "With -T text: show the bytes of every packet.")
    var showsBytes = false

    @Option(name: .customShort("e"), help: ArgumentHelp("A field for -T fields and -T csv; repeatable.", valueName: "field"))
    var names: [String] = []

    @Option(
        name: .customShort("E"),
        help: ArgumentHelp(
            "For -T fields: header=y, separator=,|/t|/s, occurrence=f|l|a, aggregator=,|/s, quote=d|s|n, bom=y; repeatable.",
            valueName: "key=value"
        )
    )
    var fieldOptions: [String] = []

    @Flag(name: .customShort("q"), help: "Show no packets, only what -z counts.")
    var isQuiet = false

    @Option(
        name: .customShort("z"),
        help: ArgumentHelp("Count packets: types, nodes, conversations or carried; repeatable.", valueName: "statistics")
    )
    var statistics: [StatisticsKind] = []

    func validate() throws {
        guard format == .text || !(showsFields || showsBytes) else {
            throw ValidationError("-V and -x go with -T text only; -T ndjson has all fields")
        }
        switch format {
        case .fields where names.isEmpty: throw ValidationError("-T fields needs a field: -e NAME; `ringbridge fields` lists the names")
        case .fields, .csv: break
        default:
            guard names.isEmpty else { throw ValidationError("-e goes with -T fields and -T csv") }
        }
        guard fieldOptions.isEmpty || format == .fields else { throw ValidationError("-E goes with -T fields") }
        _ = try options()
    }

    /// What shows packets; nil when none are to be shown.
    func makeRenderer(_ catalogue: @autoclosure () -> FieldCatalogue, captureFile: String) throws -> (any PacketRenderer)? {
        if isQuiet { return nil }
        switch format {
        case .text:
            let renderer: any PacketRenderer = showsFields ? TreeRenderer() : TextRenderer()
            return showsBytes ? HexRenderer(after: renderer) : renderer
        case .fields: return FieldsRenderer(try references(names, catalogue()), options: try options())
        case .csv:
            return FieldsRenderer(try references(names.isEmpty ? FieldsRenderer.defaultNames : names, catalogue()), options: .csv)
        case .json: return JSONRenderer()
        case .ndjson: return NDJSONRenderer()
        case .ek: return ElasticRenderer()
        case .pdml: return PDMLRenderer(captureFile: captureFile)
        }
    }

    private func references(_ names: [String], _ catalogue: FieldCatalogue) throws -> [FieldReference] {
        try names.map { name in
            guard let reference = catalogue.reference(name) else {
                let like = catalogue.names(like: name)
                let advice = like.isEmpty ? "`ringbridge fields` lists all" : "did you mean \(like.joined(separator: ", or "))?"
                throw ValidationError("-e: there is no field \(name); \(advice)")
            }
            return reference
        }
    }

    /// What -E says.
    private func options() throws -> FieldsRenderer.Options {
        var options = FieldsRenderer.Options()
        for option in fieldOptions {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw ValidationError("-E \(option): key=value is expected, as in header=y") }
            switch (parts[0], parts[1]) {
            case ("header", "y"), ("header", "n"): options.hasHeader = parts[1] == "y"
            case ("bom", "y"), ("bom", "n"): options.hasByteOrderMark = parts[1] == "y"
            case ("separator", let value): options.separator = try character(value, option)
            case ("aggregator", let value): options.aggregator = try character(value, option)
            case ("occurrence", "f"): options.occurrence = .first
            case ("occurrence", "l"): options.occurrence = .last
            case ("occurrence", "a"): options.occurrence = .all
            case ("quote", "d"): options.quote = UInt8(ascii: "\"")
            case ("quote", "s"): options.quote = UInt8(ascii: "'")
            case ("quote", "n"): options.quote = nil
            default:
                throw ValidationError(
                    "-E \(option) is none of header=y|n, bom=y|n, separator=CHARACTER, aggregator=CHARACTER, occurrence=f|l|a, quote=d|s|n"
                )
            }
        }
        return options
    }

    private func character(_ value: String, _ option: String) throws -> UInt8 {
        switch value {
        case "/t": return UInt8(ascii: "\t")
        case "/s": return UInt8(ascii: " ")
        default:
            guard value.utf8.count == 1, let byte = value.utf8.first else {
                throw ValidationError("-E \(option): one character is expected")
            }
            return byte
        }
    }
}

extension StatisticsKind: ExpressibleByArgument {}
