import ArgumentParser
import Captures
import Dissection
import TotemSecurity

/// `ringbridge decode`: packets to text, fields or JSON.
struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Show what the packets of capture files mean.",
        discussion: """
            Reads pcap and pcapng files, plain or gzip'd, or captures live, and says of every packet what it is in cman-5 or corosync-3: one line a packet, with -V \
            all fields, with -T ndjson one JSON object a packet. See docs/decoding.md.
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case ndjson
    }

    @OptionGroup(title: "Input") var input: PacketInput

    @OptionGroup(title: "Keys")
    var keys: KeyOptions

    @Option(name: .customShort("T"), help: "text or ndjson.")
    var format = Format.text

    @Flag(name: .customShort("V"), help: "Show all fields of every packet.")
    var showsFields = false

    @Option(name: .customShort("c"), help: ArgumentHelp("Stop after so many packets.", valueName: "count"))
    var limit: Int?

    func validate() throws {
        guard format == .text || !showsFields else { throw ValidationError("-V goes with -T text only; -T ndjson has all fields") }
        if let limit, limit < 1 { throw ValidationError("-c needs a number above 0") }
    }

    func run() throws {
        let keys = try keys.load()
        var output = StandardOutput()
        var input = try input.open()
        defer { input.finish() }
        do {
            try decode(&input, keys, to: &output)
        } catch is StandardOutput.Closed {
            // Whoever read it has seen enough.
            return
        } catch {
            // What was decoded before the error comes out before it is told.
            try output.flush()
            throw error
        }
        try output.flush()
    }

    private func decode(_ input: inout OpenedInput, _ keys: [SecurityKey], to output: inout StandardOutput) throws {
        var dissector = PacketDissector(source: input.source, keys: keys)
        let dissection = Dissection()
        var json = NDJSONRenderer()
        while true {
            switch try input.source.receive() {
            case .packet(let packet):
                dissector.dissect(packet, into: dissection)
                switch (format, showsFields) {
                case (.ndjson, _): json.append(dissection, to: &output.text)
                case (.text, false): TextRenderer().append(dissection, to: &output.text)
                case (.text, true): TreeRenderer().append(dissection, to: &output.text)
                }
                if output.isFull { try output.flush() }
                input.showProgress(frame: packet.frame)
                if packet.frame == limit { return }
            // Nothing comes for a while: what came is shown now.
            case .idle: try output.flush()
            case .end: return
            }
        }
    }
}
