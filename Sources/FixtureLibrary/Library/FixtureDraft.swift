import Captures
import Dissection
import Foundation

/// Makes and renews the files of fixtures.
public struct FixtureDraft {
    /// The captures up to this many packets keep their lines in `summary.txt`: the others' would be larger than all captures together.
    public static let summaryLimit = 240

    private let catalogue: FixtureCatalogue

    /// Drafts in the library `catalogue`.
    public init(_ catalogue: FixtureCatalogue) {
        self.catalogue = catalogue
    }

    /// What the packets of captures say, in one pass.
    public struct Reading {
        /// The timeline.
        public var timeline = CaptureTimeline()
        /// What the decoder prints; nil for long captures.
        public var summary: String?

        /// Nothing read.
        public init() {}
    }

    /// Reads captures with keys.
    public static func read(_ paths: [String], keys: [String], clusters: [String]) throws -> Reading {
        var reading = Reading()
        var text = TextBuffer()
        try CaptureReading.forEachPacket(of: paths, keys: keys, clusters: clusters) { packet in
            reading.timeline.take(packet)
            if reading.timeline.packets <= summaryLimit { TextRenderer().append(packet, to: &text) }
        }
        if reading.timeline.packets <= summaryLimit { reading.summary = String(decoding: text.bytes, as: UTF8.self) }
        return reading
    }

    /// Reads the captures of a fixture.
    public static func read(_ fixture: Fixture) throws -> Reading {
        try read(
            fixture.settings.captures.map(fixture.path(of:)),
            keys: fixture.settings.keys.map(fixture.path(of:)),
            clusters: fixture.settings.clusters
        )
    }

    /// What the daemons reported about the captures of `settings`; nil when no report is named.
    public func expectations(_ settings: FixtureSettings, _ timeline: CaptureTimeline, folder: String) throws -> Expectations? {
        guard !settings.reports.isEmpty else { return nil }
        let files = Fixture(name: "", folder: folder, settings: settings, capturesFolder: catalogue.capturesFolder)
        var report = DaemonReport()
        var sources: [String] = []
        for name in settings.reports {
            let text = try LibraryFile.text(files.path(of: name))
            sources.append("captures/\(name)")
            if name.contains(".status.") {
                report.add(StatusReport.read(text, origin: timeline.firstTime))
            } else {
                report.add(TruthReport.read(text, origin: timeline.firstTime, nodes: settings.nodes))
            }
        }
        var expected = Expectations()
        expected.packets = timeline.packets
        if let page = settings.provenance.page {
            let table = CapturePage(try LibraryFile.text("\(catalogue.folder)/\(page)"))
            for capture in settings.captures.map(Self.captureName) {
                report.departures += table.departures(of: capture, origin: timeline.firstTime)
            }
            if let counts = Self.counts(settings.captures.map(Self.captureName), table) {
                expected.packets = counts.packets
                expected.messages = counts.messages
                expected.malformed = counts.malformed
            }
            sources.append(page)
        }
        expected.source = sources.joined(separator: ", ")
        // Of what was reported before the first packet or after the last one the packets cannot tell.
        let end = timeline.duration
        expected.views = report.views.filter { $0.at >= 0 && $0.at <= end }
        expected.formations = report.formations
        expected.incompleteLogs = report.incompleteLogs.sorted()
        expected.departures = report.departures.filter { $0.at >= 0 && $0.at <= end }.sorted { ($0.at, $0.node) < ($1.at, $1.node) }
        expected.receptions = report.receptions.filter { !$0.messages.isEmpty }
        return expected
    }

    private static func counts(_ captures: [String], _ page: CapturePage) -> CapturePage.Counts? {
        var sum: CapturePage.Counts?
        for capture in captures {
            guard let counts = page.counts(of: capture) else { return nil }
            guard var total = sum else {
                sum = counts
                continue
            }
            total.packets += counts.packets
            total.malformed += counts.malformed
            // Where one of the captures is not counted by message, the sum cannot be.
            let isCounted = !counts.messages.isEmpty && !total.messages.isEmpty
            total.messages = isCounted ? total.messages.merging(counts.messages) { $0 + $1 } : [:]
            sum = total
        }
        return sum
    }

    /// `02-join3-k.pcap` of `cman/02-join3-k.pcap.gz`.
    static func captureName(_ path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.hasSuffix(".gz") ? String(file.dropLast(3)) : file
    }

    /// Writes the files of the fixture `name`. An existing fixture is refused unless `replaces`.
    public func write(_ name: String, _ settings: FixtureSettings, _ expected: Expectations, summary: String?, replaces: Bool = false)
        throws
    {
        let folder = "\(catalogue.fixturesFolder)/\(name)"
        if !replaces, FileManager.default.fileExists(atPath: folder) {
            throw FixtureError(folder, "is there already; choose another name, or remove it first")
        }
        try LibraryFile.write(settings.yaml, to: "\(folder)/fixture.yaml")
        try LibraryFile.write(expected.yaml, to: "\(folder)/expected.yaml")
        if let summary { try LibraryFile.write(summary, to: "\(folder)/summary.txt") }
    }

    /// Writes the files of `fixture` anew, from its reports, the decoder and what the capture shows.
    public func refresh(_ fixture: Fixture, replays: Bool) throws {
        let settings = fixture.settings
        let reading = try Self.read(fixture)
        // Without a report the values stand that somebody has confirmed.
        let expected = try expectations(settings, reading.timeline, folder: fixture.folder) ?? fixture.expectations()
        try write(fixture.name, settings, expected, summary: reading.summary, replaces: true)
        if replays {
            let check = ReplayCheck(fixture)
            if case .success(let engine) = check.engine() {
                try LibraryFile.write(try check.run(engine).yaml, to: "\(fixture.folder)/replay.yaml")
            }
        }
        // The requirements that it shows are known once everything else is there.
        guard let requirements = try catalogue.requirements() else { return }
        var verifier = FixtureVerifier(requirements: requirements)
        verifier.replays = false
        var renewed = settings
        renewed.requirements = verifier.verify(try catalogue.fixture(fixture.name)).requirements
        try LibraryFile.write(renewed.yaml, to: "\(fixture.folder)/fixture.yaml")
    }
}
