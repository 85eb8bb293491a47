import EngineKit
import WireFormat

/// What surrounds the engines of a simulated cluster: it knows addresses, writes down events and draws no random number.
public protocol EngineEnvironment: AnyObject {
    /// The engine that runs on each host.
    associatedtype Engine: NodeEngine

    /// Puts a datagram of `engine` on the network.
    func transmit(
        _ datagram: UnsafeRawBufferPointer,
        to destination: Engine.Destination,
        by engine: borrowing Engine,
        on host: EngineHost<Self>
    )

    /// Writes down what `engine` reported.
    func observe(
        _ event: Engine.Event,
        in effects: borrowing Effects<Engine.Destination, Engine.Event>,
        by engine: borrowing Engine,
        on host: EngineHost<Self>
    )

    /// Called when all that `engine` wanted done is done, after every call.
    func settle(_ engine: inout Engine, on host: EngineHost<Self>)

    /// How a datagram that was sent to `destination` reached `host`.
    func arrival(at destination: Endpoint, viaGroup: Bool, host: EngineHost<Self>) -> Arrival
}

extension EngineEnvironment {
    public func settle(_ engine: inout Engine, on host: EngineHost<Self>) {}
}

/// A host that runs one engine.
public final class EngineHost<Environment: EngineEnvironment>: SimulatedHost {
    /// Its number on the network.
    public let number: Int
    /// How often it was started; 0 before the first time.
    public private(set) var incarnation = 0
    /// The engine while the host is up.
    public private(set) var engine: Environment.Engine?

    private unowned let environment: Environment

    private let network: VirtualNetwork

    private var effects = Effects<Environment.Engine.Destination, Environment.Engine.Event>(capacity: 4096)

    /// A host without an engine on `network`.
    public init(environment: Environment, network: VirtualNetwork, number: Int) {
        self.environment = environment
        self.network = network
        self.number = number
    }

    public var nextDeadline: Instant? { engine?.nextDeadline }

    /// Starts the host with a new engine.
    public func start(_ engine: Environment.Engine) {
        incarnation += 1
        self.engine = engine
        network.bringUp(number)
    }

    /// Ends the engine without a word.
    public func crash() {
        engine = nil
        network.takeDown(number)
    }

    /// Gives the engine a command and carries out what it wants done. Nil while the host is down or paused.
    @discardableResult
    public func command<Result>(
        _ body: (inout Environment.Engine, Instant, inout Effects<Environment.Engine.Destination, Environment.Engine.Event>) -> Result
    ) -> Result? {
        guard !network.isPaused(number), let result = engine?.run({ body(&$0, network.now, &effects) }) else { return nil }
        carryOut()
        network.rearm(number)
        return result
    }

    public func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        to destination: Endpoint,
        viaGroup: Bool,
        on network: VirtualNetwork
    ) {
        let arrival = environment.arrival(at: destination, viaGroup: viaGroup, host: self)
        engine?.receive(datagram, from: source, arrival: arrival, at: network.now, into: &effects)
        carryOut()
    }

    public func advance(on network: VirtualNetwork) {
        engine?.advance(to: network.now, into: &effects)
        carryOut()
    }

    private func carryOut() {
        guard !effects.isEmpty, let engine else { return effects.removeAll() }
        for effect in effects.effects {
            switch effect {
            case .transmit(let range, to: let destination):
                effects.withBytes(range) { environment.transmit($0, to: destination, by: engine, on: self) }
            case .event(let event):
                environment.observe(event, in: effects, by: engine, on: self)
            }
        }
        effects.removeAll()
        self.engine?.run { environment.settle(&$0, on: self) }
    }
}

extension NodeEngine {
    /// Calls `body` with the engine in place, without a copy.
    fileprivate mutating func run<Result>(_ body: (inout Self) -> Result) -> Result { body(&self) }
}
