import ArgumentParser
import Captures
import Dissection

/// `ringbridge decode`: packets to text, fields or JSON.
struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Show what the packets of capture files mean.",
        discussion: """
            Reads pcap files, plain or gzip'd, and says of every packet what it is in cman-5 or corosync-3: one line a packet, with -V \
            all fields, with -T ndjson one JSON object a packet. See docs/decoding.md.
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case ndjson
    }

    @Argument(help: ArgumentHelp("Capture files; - is the standard input.", valueName: "file"))
    var files: [String] = []

    @Option(name: .customShort("r"), help: ArgumentHelp("A capture file, as with tshark.", valueName: "file"))
    var read: [String] = []

    @Option(name: .customShort("T"), help: "text or ndjson.")
    var format = Format.text

    @Flag(name: .customShort("V"), help: "Show all fields of every packet.")
    var showsFields = false

    @Option(name: .customShort("c"), help: ArgumentHelp("Stop after so many packets of each file.", valueName: "count"))
    var limit: Int?

    func validate() throws {
        guard !files.isEmpty || !read.isEmpty else { throw ValidationError("decode needs a capture file, or - for the standard input") }
        guard format == .text || !showsFields else { throw ValidationError("-V goes with -T text only; -T ndjson has all fields") }
        if let limit, limit < 1 { throw ValidationError("-c needs a number above 0") }
    }

    func run() throws {
        var output = StandardOutput()
        do {
            for path in read + files { try decode(path, to: &output) }
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

    private func decode(_ path: String, to output: inout StandardOutput) throws {
        let reader = try PacketReader(path: path)
        var dissector = PacketDissector()
        let dissection = Dissection()
        var json = NDJSONRenderer()
        while let packet = try reader.next() {
            dissector.dissect(packet, into: dissection)
            switch (format, showsFields) {
            case (.ndjson, _): json.append(dissection, to: &output.text)
            case (.text, false): TextRenderer().append(dissection, to: &output.text)
            case (.text, true): TreeRenderer().append(dissection, to: &output.text)
            }
            // A pipe may be live: its packets are shown as they come.
            if output.isFull || path == "-" { try output.flush() }
            if packet.frame == limit { break }
        }
    }
}
