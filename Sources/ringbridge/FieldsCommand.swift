import ArgumentParser
import Dissection

/// `ringbridge fields`: every name that packets can be asked for.
struct FieldsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fields",
        abstract: "List every field: name, type, dialects, what it says.",
        discussion: "The names are those of -e and -Y of `ringbridge decode`, and the keys of its JSON."
    )

    @Flag(help: "One JSON array.")
    var json = false

    @Flag(help: "The JSON Schema of `decode -T ndjson`.")
    var schema = false

    func run() throws {
        var output = StandardOutput()
        if schema {
            DecodeSchema(FieldCatalogue()).append(to: &output.text)
        } else {
            FieldList(FieldCatalogue()).append(to: &output.text, asJSON: json)
        }
        do { try output.flush() } catch is StandardOutput.Closed {}
    }
}
