import Captures
import EngineKit
import Foundation
import TotemNode
import TotemWire
import WireFormat

/// Runs our engines in the roles of the recorded daemons.
public struct ReplayCheck {
    let fixture: Fixture

    /// A check of `fixture`.
    public init(_ fixture: Fixture) {
        self.fixture = fixture
    }

    /// What `replay.yaml` says, if there is one.
    public func settings() throws -> ReplaySettings? {
        let path = "\(fixture.folder)/replay.yaml"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try ReplaySettings(yaml: LibraryFile.text(path), file: path)
    }

    /// Whether there is an engine for the fixture's capture; otherwise why not.
    public func engine() -> Result<ReplaySettings.Engine, ReplayObstacle> {
        guard fixture.settings.provenance.kind == .recorded else {
            return .failure(ReplayObstacle("constructed packets are no conversation"))
        }
        guard fixture.settings.captures.count == 1, fixture.settings.keys.isEmpty, fixture.settings.clusters.isEmpty else {
            return .failure(ReplayObstacle("no engine speaks over several networks or encrypted"))
        }
        switch fixture.settings.dialect {
        case "cman-5": return .success(.cman)
        case "corosync-3":
            return fixture.name.contains("-knet")
                ? .failure(ReplayObstacle("the engines do not speak knet")) : .success(.totem)
        default: return .failure(ReplayObstacle("no engine speaks \(fixture.settings.dialect)"))
        }
    }

    /// What the replays give, life by life.
    public func run(_ engine: ReplaySettings.Engine) throws -> ReplaySettings {
        switch engine {
        case .cman: ReplaySettings(engine: engine, lives: try cman())
        case .totem: ReplaySettings(engine: engine, lives: try totem())
        }
    }

    /// The replays give what `replay.yaml` says.
    public func outcome() throws -> CheckOutcome {
        guard let settings = try settings() else {
            switch engine() {
            case .success: return .skipped("no replay.yaml")
            case .failure(let obstacle): return .skipped("not replayable yet because \(obstacle.reason)")
            }
        }
        let result = try run(settings.engine)
        for life in Set(result.lives.keys).union(settings.lives.keys).sorted() where result.lives[life] != settings.lives[life] {
            return .failed("\(life): \(result.lives[life] ?? "no such life"), not «\(settings.lives[life] ?? "no such life")»")
        }
        let equal = result.lives.values.filter { $0.hasPrefix("equal") }.count
        return .passed("\(equal) of \(result.lives.count) lives equal, the others as known")
    }

    private func cman() throws -> [String: String] {
        guard let page = fixture.settings.provenance.page, let file = fixture.settings.captures.first else { return [:] }
        let folder = URL(fileURLWithPath: fixture.capturesFolder).deletingLastPathComponent().path
        let capture = file.split(separator: "/").last.map { $0.hasSuffix(".gz") ? String($0.dropLast(3)) : String($0) } ?? ""
        let recording = CmanRecording(name: capture, datagrams: try CaptureFile.datagrams(atPath: fixture.path(of: file)))
        let actions = CmanActions(page: try LibraryFile.text("\(folder)/\(page)"), capture: capture)
        let replay = CmanReplay(recording: recording, actions: actions)
        var lives: [String: String] = [:]
        for life in replay.lives {
            let note = CmanReplayCatalogue.note(capture: capture, life: "\(life)")
            if case .notReplayable(let reason)? = note {
                lives["\(life)"] = "not replayable because \(reason)"
                continue
            }
            switch replay.run(life) {
            case .equal(let messages, let acknowledgements):
                lives["\(life)"] = "equal: \(messages) messages, \(acknowledgements) acknowledgements"
            case .differs(let difference):
                if case .differs(let reason)? = note {
                    lives["\(life)"] = "differs in frame \(difference.frame.map(String.init) ?? "past the last"): \(reason)"
                } else {
                    lives["\(life)"] = "\(difference)"
                }
            }
        }
        return lives
    }

    private func totem() throws -> [String: String] {
        guard let file = fixture.settings.captures.first, let report = fixture.settings.reports.first else { return [:] }
        let datagrams = try CaptureFile.datagrams(atPath: fixture.path(of: file))
        let replay = TotemReplayCase(.corosync3, datagrams: datagrams, truth: try LibraryFile.text(fixture.path(of: report)))
        var lives: [String: String] = [:]
        for row in try replay.rows() {
            for (engine, outcome) in zip(TotemReplayEngine.allCases, row.outcomes) {
                let name = "\(engine == .ring ? "ring" : "whole") \(row.life.node)\(row.life.begin == nil ? "" : ", started")"
                lives[name] = Self.words(outcome)
            }
        }
        return lives
    }

    private static func words(_ outcome: TotemReplayOutcome) -> String {
        switch outcome {
        case .equal(let packets): "equal: \(packets) packets"
        case .notReplayable(let reason): "not replayable because \(reason)"
        case .different(let frame, let packets, let difference): "differs in frame \(frame) after \(packets) packets: \(difference)"
        }
    }
}

/// Why a capture cannot be replayed.
public struct ReplayObstacle: Error, Sendable, Hashable {
    /// The reason.
    public var reason: String

    /// Because of `reason`.
    public init(_ reason: String) {
        self.reason = reason
    }
}
