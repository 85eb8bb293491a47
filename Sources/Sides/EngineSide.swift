import EngineKit

/// A side whose proxies each run an engine of their own.
protocol EngineSide: SideAdapter {
    /// What every proxy runs.
    associatedtype Engine: NodeEngine

    /// Reused for every call of an engine.
    var engineEffects: Effects<Engine.Destination, Engine.Event> { get set }

    /// Calls `body` with the engine of a proxy, in place, and with `engineEffects`.
    mutating func call(_ index: Int, _ body: (inout Engine, inout Effects<Engine.Destination, Engine.Event>) -> Void)

    /// Where a datagram of a proxy goes.
    func destination(_ destination: Engine.Destination, of index: Int) -> BridgeDestination

    /// Deals with what the engine of a proxy reports.
    mutating func take(_ event: Engine.Event, of index: Int, at now: Instant, into effects: inout BridgeEffects)
}

extension EngineSide {
    /// Calls the engine of a proxy and deals with what comes of it.
    mutating func run(
        _ index: Int,
        at now: Instant,
        into effects: inout BridgeEffects,
        _ body: (inout Engine, inout Effects<Engine.Destination, Engine.Event>) -> Void
    ) {
        call(index, body)
        // What an event leads to is appended behind it.
        var position = 0
        while position < engineEffects.effects.count {
            switch engineEffects.effects[position] {
            case .transmit(let range, let destination):
                let copy = engineEffects.withBytes(range) { effects.keep($0) }
                effects.transmit(copy, to: self.destination(destination, of: index))
            case .event(let event):
                take(event, of: index, at: now, into: &effects)
            }
            position += 1
        }
        engineEffects.removeAll()
    }
}
