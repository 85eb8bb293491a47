import EngineKit
import Glibc
import Logging
import TotemWire

/// Runs one member with its line interface, until it is told to end.
public struct NodeProcess: LoopParticipant {
    /// What `run` is told besides the configuration.
    public struct Options: Sendable {
        /// Reports as JSON lines.
        public var asJSON = false
        /// Go on when the input ends, instead of leaving.
        public var stays = false

        /// Text lines; ends with its input.
        public init() {}
    }

    private let member: any ClusterMember
    private let output: ReportOutput
    private let options: Options
    private let registry: EventLoop.Registry
    private var input = LineInput()
    private var ending: Instant?
    private var isInterrupted = false

    /// How long an orderly leave may take before the process ends without it.
    private static let leaveLimit = Interval.seconds(10)

    /// Runs the member that `configuration` describes; returns the exit code.
    public static func run(_ configuration: NodeConfiguration, options: Options) throws -> Int32 {
        let logger = Logger(label: "node") { _ in LineLogHandler() }
        for warning in configuration.warnings { logger.warning("\(warning)") }
        let loop = try EventLoop(handlingSignals: true)
        let output = ReportOutput(descriptor: STDOUT_FILENO, asJSON: options.asJSON)
        let recorder = try configuration.capture.map {
            try PacketRecorder(path: $0, direction: configuration.captureDirection, logger: logger)
        }
        let member: any ClusterMember =
            switch configuration.dialect {
            case .cman(let cman):
                try LegacyMember(configuration, cman, output: output, registry: loop.registry, recorder: recorder, logger: logger)
            case .corosync(let corosync):
                try totemMember(configuration, corosync, output: output, registry: loop.registry, recorder: recorder, logger: logger)
            }
        var process = NodeProcess(member: member, output: output, options: options, registry: loop.registry)
        try process.begin()
        try loop.run(&process)
        return 0
    }

    private static func totemMember(
        _ configuration: NodeConfiguration,
        _ corosync: NodeConfiguration.Corosync,
        output: ReportOutput,
        registry: EventLoop.Registry,
        recorder: PacketRecorder?,
        logger: Logger
    ) throws -> any ClusterMember {
        func member<Dialect: TotemDialect>(_: Dialect.Type) throws -> any ClusterMember {
            try TotemMember<Dialect>(configuration, corosync, output: output, registry: registry, recorder: recorder, logger: logger)
        }
        return switch corosync.generation {
        case .totem2005: try member(OpenAIS2005.self)
        case .openais080: try member(OpenAIS080.self)
        case .corosync1: try member(Corosync1.self)
        case .corosync2: try member(Corosync2.self)
        case .corosync3: try member(Corosync3.self)
        }
    }

    private init(member: any ClusterMember, output: ReportOutput, options: Options, registry: EventLoop.Registry) {
        self.member = member
        self.output = output
        self.options = options
        self.registry = registry
    }

    private mutating func begin() throws(SystemCallError) {
        let now = MonotonicClock.now()
        member.start(at: now)
        let isWatched = registry.watchStandardInput(as: MemberToken.input)
        // A file is always ready, and epoll does not take it.
        while !isWatched, !input.isAtEnd { take(input.read(from: STDIN_FILENO), at: now) }
        if !isWatched { inputEnded(at: now) }
        output.flush()
    }

    public var nextDeadline: Instant? {
        guard let ending else { return member.nextDeadline }
        return min(ending, member.nextDeadline ?? ending)
    }

    public var isFinished: Bool { isInterrupted || (ending.map { member.hasLeft || $0 <= MonotonicClock.now() } ?? false) }

    public mutating func ready(_ token: EventLoop.Token, at now: Instant) {
        guard token == MemberToken.input else { return member.ready(token, at: now) }
        take(input.read(from: STDIN_FILENO), at: now)
        if input.isAtEnd {
            registry.forgetStandardInput()
            inputEnded(at: now)
        }
    }

    public mutating func advance(to now: Instant) {
        member.advance(to: now)
        output.flush()
    }

    public mutating func stopRequested(at now: Instant) {
        if ending != nil { isInterrupted = true }
        end(at: now)
    }

    private mutating func inputEnded(at now: Instant) {
        if !options.stays { end(at: now) }
    }

    private mutating func end(at now: Instant) {
        guard ending == nil else { return }
        ending = now + Self.leaveLimit
        member.perform(.leave(removed: false), at: now)
    }

    private mutating func take(_ lines: [String], at now: Instant) {
        for line in lines {
            do throws(NodeCommand.Fault) {
                guard let command = try NodeCommand.parse(line[...]) else { continue }
                if command == .quit {
                    end(at: now)
                } else {
                    member.perform(command, at: now)
                }
            } catch {
                output.report(NodeReport("error").with("text", error.text))
            }
        }
    }
}
