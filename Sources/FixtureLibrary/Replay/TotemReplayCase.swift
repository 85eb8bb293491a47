import Captures
import EngineKit
import TotemNode
import TotemSecurity
import TotemWire
import WireFormat

/// A capture of Totem daemons with what is known about it, to be replayed.
public struct TotemReplayCase: Sendable {
    /// What the replay of one life gives, by engine.
    public struct Row: Sendable {
        /// Whose life.
        public var life: TotemLife
        /// What each engine of the case gives.
        public var outcomes: [TotemReplayOutcome]
    }

    /// The daemons' generation.
    public var generation: TotemGeneration
    /// Generations of nodes that are of another one.
    public var exceptions: [UInt32: TotemGeneration] = [:]
    /// The engines that play the daemons: above rings before corosync 3 the services are not compared.
    public var engines: [TotemReplayEngine]
    /// The datagrams, outside any envelope.
    private let datagrams: [CapturedDatagram]
    /// Why the datagrams are not all known.
    private let obstacle: String?
    private let truth: String

    /// The capture `datagrams` of daemons of `generation`, whose actions and logs are `truth`; `keys` open what is encrypted.
    public init(_ generation: TotemGeneration, datagrams: [CapturedDatagram], truth: String, keys: [SecurityKey] = []) {
        self.generation = generation
        engines = generation == .corosync3 ? TotemReplayEngine.allCases : [.ring]
        self.truth = truth
        var opener = SecurityOpener(keys: keys)
        var obstacle: String?
        if truth.contains("RINGS=2") { obstacle = "it had two rings, and what came over the other one is not in this recording" }
        self.datagrams = datagrams.map { datagram in
            var plain = datagram
            let isOpen = datagram.payload.withUnsafeBytes { bytes in
                switch opener.open(bytes, from: datagram.source, to: datagram.destination) {
                case .plain: return true
                case .opened(let content):
                    plain.payload = Array(content.plaintext)
                    return true
                case .unknownKey, .damaged, .unsupported: return false
                }
            }
            if !isOpen { obstacle = "frame \(datagram.frame) cannot be opened with the keys that there are" }
            return plain
        }
        self.obstacle = obstacle
    }

    /// Replays every life of every daemon.
    public func rows() throws(WireError) -> [Row] {
        var rows = try rows(of: generation).filter { exceptions[$0.life.node] == nil }
        for exception in Set(exceptions.values).sorted() {
            rows += try self.rows(of: exception).filter { exceptions[$0.life.node] == exception }
        }
        return rows.sorted { ($0.life.node, $0.life.begin ?? .zero) < ($1.life.node, $1.life.begin ?? .zero) }
    }

    private func rows(of generation: TotemGeneration) throws(WireError) -> [Row] {
        switch generation {
        case .totem2005: try rows(OpenAIS2005.self)
        case .openais080: try rows(OpenAIS080.self)
        case .corosync1: try rows(Corosync1.self)
        case .corosync2: try rows(Corosync2.self)
        case .corosync3: try rows(Corosync3.self)
        }
    }

    private func rows<Dialect: TotemDialect>(_ dialect: Dialect.Type) throws(WireError) -> [Row] {
        let recording = try TotemRecording<Dialect>(datagrams)
        let timers = TotemLogTimers.timers(of: Dialect.generation, in: truth)
        var rows: [Row] = []
        for life in TotemLives.lives(of: recording, truth: truth) {
            var life = life
            life.obstacle = obstacle ?? life.obstacle
            var row = Row(life: life, outcomes: [])
            for engine in engines {
                var replay = TotemReplay(recording, timers: timers)
                replay.engine = engine
                row.outcomes.append(try replay.run(life))
            }
            rows.append(row)
        }
        return rows
    }
}
