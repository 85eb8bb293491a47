import ArgumentParser
import Captures
import Glibc

/// The options that say where packets come from.
struct PacketInput: ParsableArguments {
    @Argument(help: ArgumentHelp("Capture files, merged by time; - is the standard input.", valueName: "file"))
    var files: [String] = []

    @Option(name: .customShort("r"), help: ArgumentHelp("A capture file, as with tshark.", valueName: "file"))
    var read: [String] = []

    @Option(name: .customShort("i"), help: ArgumentHelp("Capture live on this interface.", valueName: "interface"))
    var interface: String?

    @Option(
        name: .customShort("f"),
        help: ArgumentHelp("With -i: which packets to take, as in pcap-filter(7). Otherwise cluster traffic.", valueName: "filter")
    )
    var filter: String?

    @Option(name: .customShort("s"), help: ArgumentHelp("With -i: take so many bytes of a packet; 0 takes all.", valueName: "length"))
    var snapLength: Int?

    @Flag(name: .customShort("p"), help: "With -i: only packets for this host (no promiscuous mode).")
    var isNotPromiscuous = false

    @Flag(inversion: .prefixedNo, help: "Tell how far long files have been read. By default when standard error alone is a terminal.")
    var progress: Bool?

    private var paths: [String] { read + files }

    func validate() throws {
        if interface != nil {
            guard paths.isEmpty else { throw ValidationError("-i captures live, and a file is read: give one of the two") }
        } else {
            guard !paths.isEmpty else { throw ValidationError("no input: give a capture file, - for the standard input, or -i INTERFACE") }
            guard filter == nil, snapLength == nil, !isNotPromiscuous else { throw ValidationError("-f, -s and -p go with -i") }
        }
        if paths.count(where: { $0 == "-" }) > 1 { throw ValidationError("the standard input can be read once only") }
        if let snapLength, snapLength < 0 { throw ValidationError("-s needs a number from 0") }
    }

    /// Opens what the options name.
    func open() throws(CaptureError) -> OpenedInput {
        if let interface {
            var options = LiveCapture.Options()
            if let filter { options.filter = CaptureFilter(filter) }
            if let snapLength { options.snapLength = snapLength }
            options.isPromiscuous = !isNotPromiscuous
            let capture = try LiveCapture(interface: interface, options: options, stop: StopSignals())
            return OpenedInput(source: capture, files: [], capture: capture, progress: nil)
        }
        var readers: [PacketReader] = []
        for path in paths { readers.append(try PacketReader(path: path)) }
        let source: any PacketSource = readers.count == 1 ? readers[0] : MergedPackets(readers)
        let isShown = progress ?? (isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 0)
        return OpenedInput(source: source, files: readers, capture: nil, progress: isShown ? ProgressLine() : nil)
    }
}

/// What `PacketInput` opened.
struct OpenedInput {
    /// Where the packets come from.
    let source: any PacketSource
    fileprivate let files: [PacketReader]
    fileprivate let capture: LiveCapture?
    fileprivate var progress: ProgressLine?

    fileprivate init(source: any PacketSource, files: [PacketReader], capture: LiveCapture?, progress: ProgressLine?) {
        self.source = source
        self.files = files
        self.capture = capture
        self.progress = progress
    }

    /// Tells how far the files have been read when `frame` has been reached and it is time to.
    mutating func showProgress(frame: Int) {
        progress?.update(frame: frame, files: files)
    }

    /// Removes the progress line, and says of a live capture what was lost.
    mutating func finish() {
        progress?.remove()
        if let capture { StandardError.write("\(capture.counters)\n") }
    }
}

/// One line on the standard error that is written over again and again.
private struct ProgressLine {
    /// How often it looks at the clock, in packets, and writes, in seconds.
    private static let packetsBetweenLooks = 8192
    private static let interval = 1

    private var lastTime = time(nil)
    private var isShown = false

    mutating func update(frame: Int, files: [PacketReader]) {
        guard frame % Self.packetsBetweenLooks == 0 else { return }
        let now = time(nil)
        guard now - lastTime >= Self.interval else { return }
        lastTime = now
        let known = files.compactMap(\.progress)
        isShown = true
        guard known.count == files.count else { return StandardError.write("\r\(frame) packets") }
        let read = known.reduce(0) { $0 + $1.read }
        let size = max(known.reduce(0) { $0 + $1.size }, 1)
        StandardError.write("\r\(100 * read / size) %, \(frame) packets")
    }

    mutating func remove() {
        // The second part is the terminals' sequence that clears what is right of the cursor (ECMA-48, EL).
        if isShown { StandardError.write("\r\u{1B}[K") }
        isShown = false
    }
}
