import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// Brings processors into the state that the daemons of a capture have when it begins in the middle of an idle ring: they form that
/// ring among themselves and let its token rest.
struct TotemReplayStart<Processor: ReplayedProcessor> {
    /// The processors, by node id.
    private(set) var processors: [UInt32: Processor] = [:]
    /// When the representative last had the token in its hands.
    private(set) var visit = Instant.zero

    private let members: [UInt32]
    private let addresses: [UInt32: IPAddress]
    private var flights: [(due: Instant, source: UInt32, target: UInt32, bytes: [UInt8])] = []

    /// Forms the ring that `token`, the first recorded one, belongs to.
    init(
        token: OrfToken<Processor.Dialect>,
        in recording: TotemRecording<Processor.Dialect>,
        timers: TotemTimers,
        configurationVersion: UInt64?
    ) throws(WireError) {
        let members = recording.members(of: token.ring)
        // What the services say when a ring is new takes message numbers, how many is seen when it is done once.
        let trial = try Self(token, from: 0, members, recording, timers, configurationVersion)
        let taken = trial.processors.values.first?.totem.highestMessageSequence ?? 0
        self = try Self(token, from: token.sequence &- taken, members, recording, timers, configurationVersion)
    }

    private init(
        _ token: OrfToken<Processor.Dialect>,
        from start: UInt32,
        _ members: [UInt32],
        _ recording: TotemRecording<Processor.Dialect>,
        _ timers: TotemTimers,
        _ configurationVersion: UInt64?
    ) throws(WireError) {
        self.members = members
        addresses = recording.addresses
        for id in members {
            var configuration = recording.configuration(of: id, timers: timers)
            // A ring's number is the highest of its members' and 4: first each processor forms a ring of its own, then all of them one.
            configuration.storedRingSequence = token.ring.sequence &- 8 &- TotemNode<Processor.Dialect>.ringsCountedAtStart
            var processor = Processor(configuration, configurationVersion: configurationVersion)
            processor.totem.messageSequenceStart = start
            processor.totem.remember(Array(recording.names.values))
            processors[id] = processor
        }
        for id in members { perform(id) { $0.start(at: $1) } }
        let representative = token.ring.representativeNodeID
        try settle(representative: representative)
        if start != 0 { try holdToken(token, representative: representative) }
        for id in members { processors[id]?.totem.messageSequenceStart = 0 }
    }

    private mutating func perform(_ id: UInt32, _ body: (inout Processor, Instant) -> Void) {
        guard var processor = processors[id] else { return }
        body(&processor, visit)
        for (bytes, destination) in processor.takeTransmissions() {
            let targets = if case .node(let target) = destination { [target] } else { members.filter { $0 != id } }
            for target in targets { flights.append((visit + .microseconds(50), id, target, bytes)) }
        }
        processors[id] = processor
    }

    /// Runs until the representative holds the token of the idle ring.
    private mutating func settle(representative: UInt32) throws(WireError) {
        while visit < Instant.zero + .seconds(10) {
            let deadline = processors.values.compactMap(\.nextDeadline).min() ?? visit
            visit = max(visit, min(deadline, flights.first?.due ?? deadline))
            guard let flight = flights.first, flight.due <= visit else {
                for id in members { perform(id) { $0.advance(to: $1) } }
                continue
            }
            flights.removeFirst()
            let tokens = processors[representative]?.totem.counters.tokens
            try deliver(flight.bytes, from: flight.source, to: flight.target)
            let isVisit = processors[representative]?.totem.counters.tokens != tokens
            if isVisit, flights.isEmpty { return }
        }
    }

    private mutating func deliver(_ bytes: [UInt8], from source: UInt32, to target: UInt32) throws(WireError) {
        guard let message = try TotemRecording<Processor.Dialect>.message(bytes) else { return }
        let packet = TotemRecording<Processor.Dialect>.Packet(
            frame: 0,
            time: visit,
            source: Endpoint(addresses[source] ?? IPAddress(ipv4: 0), 0),
            target: target,
            bytes: bytes,
            message: message
        )
        perform(target) { $0.receive(packet, at: $1) }
    }

    /// Gives the representative the token that it will let go as `token`.
    private mutating func holdToken(_ token: OrfToken<Processor.Dialect>, representative: UInt32) throws(WireError) {
        var arriving = token
        let last = processors[representative]?.totem.members.last ?? representative
        arriving.header.setSender(last)
        arriving.tokenSequence &-= 1
        try deliver(arriving.bytes(), from: last, to: representative)
    }
}
