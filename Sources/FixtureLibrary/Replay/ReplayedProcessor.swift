import ClusterServices
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// What a replay needs of the engine that plays the daemon.
protocol ReplayedProcessor<Dialect> {
    /// The generation of the daemon.
    associatedtype Dialect: TotemDialect

    /// A processor that has not started.
    init(_ configuration: TotemConfiguration, configurationVersion: UInt64?)

    /// Its ring.
    var totem: TotemNode<Dialect> { get set }

    /// When `advance` must be called next.
    var nextDeadline: Instant? { get }

    mutating func start(at now: Instant)
    mutating func leave(at now: Instant)
    mutating func receive(_ packet: TotemRecording<Dialect>.Packet, at now: Instant)
    mutating func advance(to now: Instant)

    /// Gives the engine a message of the recorded daemon that it does not say of itself.
    mutating func give(_ message: TotemLocalSends<Dialect>.Message, at now: Instant)

    /// Gives the engine a message that nobody saw.
    mutating func giveUnseen(at now: Instant)

    /// Whether every message must be given, those of the services too.
    static var needsEverything: Bool { get }

    /// Whether `message` must be given.
    static func needs(_ message: TotemLocalSends<Dialect>.Message) -> Bool

    /// What it has sent since the last call.
    mutating func takeTransmissions() -> [(bytes: [UInt8], destination: TotemDestination)]
}

/// The ring alone: what services and clients said is taken from the recording.
struct RingAlone<Dialect: TotemDialect>: ReplayedProcessor {
    var totem: TotemNode<Dialect>
    private var effects = TotemEffects()

    init(_ configuration: TotemConfiguration, configurationVersion: UInt64?) {
        totem = TotemNode<Dialect>(configuration: configuration)
    }

    var nextDeadline: Instant? { totem.nextDeadline }

    mutating func start(at now: Instant) { totem.start(at: now, into: &effects) }

    mutating func leave(at now: Instant) { totem.leave(at: now, into: &effects) }

    mutating func receive(_ packet: TotemRecording<Dialect>.Packet, at now: Instant) {
        packet.bytes.withUnsafeBytes {
            totem.receive($0, from: packet.source, arrival: Arrival(viaGroup: packet.target == nil), at: now, into: &effects)
        }
    }

    mutating func advance(to now: Instant) { totem.advance(to: now, into: &effects) }

    static var needsEverything: Bool { true }

    static func needs(_ message: TotemLocalSends<Dialect>.Message) -> Bool { true }

    mutating func giveUnseen(at now: Instant) {
        withUnsafeBytes(of: UInt8(0)) { try? totem.send($0, group: "a", at: now, into: &effects) }
        totem.flushPacker()
    }

    mutating func give(_ message: TotemLocalSends<Dialect>.Message, at now: Instant) {
        message.payload.withUnsafeBytes { bytes in
            let first = UnsafeRawBufferPointer(rebasing: bytes[..<message.firstPiece])
            let rest = UnsafeRawBufferPointer(rebasing: bytes[message.firstPiece...])
            let group = message.group.withUnsafeBytes { ServiceGroup(name: $0) } ?? .services
            try? totem.send(first, followedBy: rest, group: group.name, at: now, into: &effects)
        }
    }

    mutating func takeTransmissions() -> [(bytes: [UInt8], destination: TotemDestination)] {
        defer { effects.removeAll() }
        // The recording says what the services sent and when; the ring need not know that they synchronise.
        if totem.state == .operational { totem.completeSynchronisation() }
        return effects.effects.compactMap { effect in
            guard case .transmit(let range, let destination) = effect else { return nil }
            return (effects.bytes(range), destination)
        }
    }
}

/// A whole processor: only what clients did is taken from the recording.
struct WholeProcessor<Dialect: TotemDialect>: ReplayedProcessor {
    private var processor: ClusterProcessor<Dialect>
    private var effects = ProcessorEffects()

    init(_ configuration: TotemConfiguration, configurationVersion: UInt64?) {
        var processorConfiguration = ProcessorConfiguration(nodeID: configuration.nodeID, nodes: configuration.nodes)
        processorConfiguration.totem = configuration
        processorConfiguration.configurationVersion = configurationVersion
        processor = ClusterProcessor<Dialect>(configuration: processorConfiguration, seed: 0)
    }

    var totem: TotemNode<Dialect> {
        get { processor.totem }
        set { processor.totem = newValue }
    }

    var nextDeadline: Instant? { processor.nextDeadline }

    mutating func start(at now: Instant) { processor.start(at: now, into: &effects) }

    mutating func leave(at now: Instant) { processor.leave(at: now, into: &effects) }

    mutating func receive(_ packet: TotemRecording<Dialect>.Packet, at now: Instant) {
        packet.bytes.withUnsafeBytes {
            processor.receive($0, from: packet.source, arrival: Arrival(viaGroup: packet.target == nil), at: now, into: &effects)
        }
    }

    mutating func advance(to now: Instant) { processor.advance(to: now, into: &effects) }

    static var needsEverything: Bool { false }

    mutating func giveUnseen(at now: Instant) {}

    static func needs(_ message: TotemLocalSends<Dialect>.Message) -> Bool {
        switch message.kind {
        case .cpgProcessJoin, .cpgProcessLeave, .cpgMulticast: true
        default: false
        }
    }

    mutating func give(_ message: TotemLocalSends<Dialect>.Message, at now: Instant) {
        message.payload.withUnsafeBytes { bytes in
            switch message.kind {
            case .cpgProcessJoin:
                guard let join = try? CPGProcessJoin(reading: bytes) else { return }
                processor.join(group: join.change.groupName.description, pid: join.change.pid, at: now, into: &effects)
            case .cpgProcessLeave:
                guard let leave = try? CPGProcessLeave(reading: bytes) else { return }
                let reason = CPGReason(rawValue: leave.change.reason) ?? .leave
                processor.leave(group: leave.change.groupName.description, pid: leave.change.pid, reason: reason, at: now, into: &effects)
            case .cpgMulticast:
                guard let message = try? CPGMulticast(reading: bytes) else { return }
                let content = UnsafeRawBufferPointer(rebasing: bytes[message.content.range])
                try? processor.send(content, group: message.groupName.description, from: message.pid, at: now, into: &effects)
            default:
                break
            }
        }
    }

    mutating func takeTransmissions() -> [(bytes: [UInt8], destination: TotemDestination)] {
        defer { effects.removeAll() }
        return effects.effects.compactMap { effect in
            guard case .transmit(let range, let destination) = effect else { return nil }
            return (effects.bytes(range), destination)
        }
    }
}
