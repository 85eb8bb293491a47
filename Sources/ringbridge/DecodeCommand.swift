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
            Reads pcap and pcapng files, plain or gzip'd, or captures live, and says of every packet what it is: one line a packet, with \
            -V all fields, with -x all bytes, with -T and -e what programs read. -Y chooses packets, -z counts them. Options are named as \
            tshark's. `ringbridge fields` lists the names for -e and -Y. See docs/decoding.md.
            """
    )

    @OptionGroup(title: "Input")
    var input: PacketInput

    @Option(name: .customShort("c"), help: ArgumentHelp("Stop after so many packets have been read.", valueName: "count"))
    var limit: Int?

    @Option(name: .customShort("Y"), help: ArgumentHelp("Show and count only packets that the display filter admits.", valueName: "filter"))
    var displayFilter: String?

    @OptionGroup(title: "Keys")
    var keys: KeyOptions

    @OptionGroup(title: "Output")
    var output: DecodeOutput

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("-c needs a number above 0") }
    }

    func run() throws {
        let keys = try keys.load()
        var input = try input.open()
        defer { input.finish() }
        var run = try DecodeRun(output: output, displayFilter: displayFilter, source: input.source, keys: keys)
        do {
            try run.begin()
            try decode(&input, &run)
            try run.end()
        } catch is StandardOutput.Closed {
            // Whoever read it has seen enough.
            return
        } catch {
            // What was decoded before the error comes out before it is told.
            try run.end()
            throw error
        }
    }

    private func decode(_ input: inout OpenedInput, _ run: inout DecodeRun) throws {
        // Reading an option goes through its wrapper, too dear to do for every packet.
        let limit = limit
        while true {
            switch try input.source.receive() {
            case .packet(let packet):
                try run.take(packet)
                input.showProgress(frame: packet.frame)
                if packet.frame == limit { return }
            // Nothing comes for a while: what came is shown now.
            case .idle: try run.flush()
            case .end: return
            }
        }
    }
}

/// One run of the decoder: packets in, text out.
private struct DecodeRun {
    private let dissection = Dissection()
    private var dissector: PacketDissector
    private var filter: DisplayFilter?
    private var renderer: (any PacketRenderer)?
    private var statistics: [any PacketStatistics]
    private var output = StandardOutput()

    init(output: DecodeOutput, displayFilter: String?, source: any PacketSource, keys: [SecurityKey]) throws {
        // Made only where names are looked up: that takes longer than reading a small file.
        lazy var catalogue = FieldCatalogue()
        filter = try displayFilter.map { try DisplayFilter($0, catalogue: catalogue) }
        renderer = try output.makeRenderer(catalogue, captureFile: source.inputs.joined(separator: ", "))
        statistics = output.statistics.map { $0.makeStatistics() }
        dissector = PacketDissector(source: source, keys: keys)
        dissector.interest = statistics.reduce(renderer?.interest ?? []) { $0.union($1.interest) }
        dissector.keepsFrames = renderer?.needsFrames == true
        let references = (renderer?.references ?? []) + (filter?.references ?? [])
        if !references.isEmpty { dissector.selection = FieldSelection(references) }
    }

    mutating func begin() throws {
        renderer?.begin(to: &output.text)
    }

    mutating func take(_ packet: CapturedPacket) throws {
        let dissection = dissection
        dissector.dissect(packet, into: dissection)
        if filter?.admits(dissection) == false { return }
        renderer?.append(dissection, to: &output.text)
        for index in statistics.indices { statistics[index].count(dissection) }
        if output.isFull { try output.flush() }
    }

    mutating func flush() throws {
        try output.flush()
    }

    mutating func end() throws {
        renderer?.end(to: &output.text)
        for (index, table) in statistics.enumerated() {
            if index > 0 || renderer != nil { output.text.append("\n") }
            table.append(to: &output.text)
        }
        try output.flush()
    }
}
