import ArgumentParser
import Dissection

/// `ringbridge dialects`: what can be decoded.
struct DialectsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dialects",
        abstract: "List every dialect: what speaks it, how it is recognised, and how sure its layouts are."
    )

    @Flag(help: "One JSON array.")
    var json = false

    func run() throws {
        var output = StandardOutput()
        DialectList(FieldCatalogue()).append(to: &output.text, asJSON: json)
        do { try output.flush() } catch is StandardOutput.Closed {}
    }
}
