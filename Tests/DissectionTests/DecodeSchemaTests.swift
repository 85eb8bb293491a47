import CaptureSupport
import Dissection
import Foundation
import Testing

/// docs/schema/decode-1.json: what the program prints, and what its output keeps.
@Suite struct DecodeSchemaTests {
    private static let path = "\(CaptureSupport.folder)/../docs/schema/decode-1.json"

    /// After a change of the layouts: `ringbridge fields --schema > docs/schema/decode-1.json`.
    @Test func theFileIsWhatTheProgramPrints() throws {
        var text = TextBuffer()
        DecodeSchema(DisplayFilterTests.catalogue).append(to: &text)
        let file = try String(contentsOfFile: Self.path, encoding: .utf8)
        #expect(String(decoding: text.bytes, as: UTF8.self) == file)
    }

    @Test(arguments: FieldCatalogueTests.captures)
    func everyLineIsValid(name: String) throws {
        let schema = try JSONSchema(contentsOfFile: Self.path)
        var seen: Set<String> = []
        let objects = try NDJSONTests.objects(of: try FrameSource(name)) {
            seen.insert("\($0.dialect?.name.description ?? "") \($0.message) \($0.carries.map { $0.message.description })").inserted
        }
        for object in objects { #expect(schema.complaints(about: object).prefix(3) == [], "\(object["frame"]?.number ?? "")") }
    }

    /// The validator can say no.
    @Test func whatIsWrongIsFound() throws {
        let schema = try JSONSchema(contentsOfFile: Self.path)
        var source = try FrameSource("cman/02-join3-k.pcap")
        source.frames = [source.frames[27]]
        let line = RendererTests.text(NDJSONRenderer(), source)
        for (from, to) in [
            ("\"cman.sequence\":17", "\"cman.sequence\":\"17\""), ("\"cman.sequence\"", "\"cman.sequenz\""), ("\"frame\":1", "\"frame\":0"),
            ("\"starttrans\"", "\"startrans\""), ("\"cman-5\"", "\"cman-6\""), (",\"notes\":", ",\"note\":"),
            ("\"ring\":null", "\"ring\":\"1\""),
            ("\"ip\":\"10.77.1.3\"", "\"ip\":10"),
        ] {
            #expect(line.contains(from), "\(from)")
            let changed = line.replacingOccurrences(of: from, with: to)
            #expect(!schema.complaints(about: try JSONValue(parsing: Array(changed.utf8.dropLast()))).isEmpty, "\(to)")
        }
    }
}

/// The part of JSON Schema that the schema uses.
struct JSONSchema {
    private let root: JSONValue

    init(contentsOfFile path: String) throws {
        // The parser knows no space between tokens, and the file has line ends nowhere else.
        root = try JSONValue(parsing: Array(try String(contentsOfFile: path, encoding: .utf8).utf8).filter { $0 != 10 })
    }

    func complaints(about value: JSONValue) -> [String] { complaints(about: value, root, at: "") }

    private func complaints(about value: JSONValue, _ schema: JSONValue, at path: String) -> [String] {
        if let reference = schema["$ref"]?.string {
            guard reference == "#/$defs/fields", let definition = root["$defs"]?["fields"] else { return ["\(path): \(reference)"] }
            return complaints(about: value, definition, at: path)
        }
        var found: [String] = []
        if let type = schema["type"] {
            let allowed = type.array?.compactMap(\.string) ?? [type.string ?? ""]
            if !allowed.contains(where: value.isOf) { found.append("\(path) is none of \(allowed)") }
        }
        if let values = schema["enum"]?.array, !values.contains(value) { found.append("\(path) has an unknown value") }
        if let minimum = schema["minimum"]?.number.flatMap({ Double($0) }), let number = value.number.flatMap({ Double($0) }),
            number < minimum
        {
            found.append("\(path) is below \(minimum)")
        }
        if let pattern = schema["pattern"]?.string, let text = value.string, text.range(of: pattern, options: .regularExpression) == nil {
            found.append("\(path) does not look like \(pattern)")
        }
        if let items = schema["items"] {
            for (index, item) in (value.array ?? []).enumerated() { found += complaints(about: item, items, at: "\(path)[\(index)]") }
        }
        guard let keys = value.keys else { return found }
        for name in schema["required"]?.array?.compactMap(\.string) ?? [] where !keys.contains(name) {
            found.append("\(path) lacks \(name)")
        }
        for key in keys {
            guard let member = value[key] else { continue }
            if let property = schema["properties"]?[key] {
                found += complaints(about: member, property, at: "\(path)/\(key)")
            } else if schema["additionalProperties"] == .bool(false) {
                found.append("\(path) has \(key)")
            }
        }
        return found
    }
}

extension JSONValue {
    /// Whether it is of the type that JSON Schema calls `name`.
    fileprivate func isOf(_ name: String) -> Bool {
        switch (self, name) {
        case (.null, "null"), (.bool, "boolean"), (.string, "string"), (.array, "array"), (.object, "object"), (.number, "number"): true
        case (.number(let digits), "integer"): !digits.contains { ".eE".contains($0) }
        default: false
        }
    }
}
