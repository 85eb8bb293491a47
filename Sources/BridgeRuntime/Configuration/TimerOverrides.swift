import CmanNode
import EngineKit
import TotemNode
import TotemWire

/// Timers that a YAML file changes, by the names of the protocols' own settings.
enum TimerOverrides {
    /// Applies `timers` of a legacy member (reference/cman-wire.md 5.1).
    static func apply(_ section: YAMLSection?, to timers: inout CmanTimers) throws(ConfigurationError) {
        guard let section else { return }
        try section.allowOnly([
            "joinWait", "newCluster", "join", "joinConf", "hello", "deadNode", "transition", "retransmit", "duplicateJoin",
            "generationGrace",
            "maxRetries",
        ])
        timers.joinWait = try section.interval("joinWait") ?? timers.joinWait
        timers.newCluster = try section.interval("newCluster") ?? timers.newCluster
        timers.join = try section.interval("join") ?? timers.join
        timers.joinConf = try section.interval("joinConf") ?? timers.joinConf
        timers.hello = try section.interval("hello") ?? timers.hello
        timers.deadNode = try section.interval("deadNode") ?? timers.deadNode
        timers.transition = try section.interval("transition") ?? timers.transition
        timers.retransmit = try section.interval("retransmit") ?? timers.retransmit
        timers.duplicateJoin = try section.interval("duplicateJoin") ?? timers.duplicateJoin
        timers.generationGrace = try section.interval("generationGrace") ?? timers.generationGrace
        timers.maxRetries = try section.number("maxRetries", 1...100) ?? timers.maxRetries
    }

    /// The timers of a Totem processor of `generation` among `nodes`; a changed token changes what is derived from it.
    static func timers(_ section: YAMLSection?, of generation: TotemGeneration, nodes: Int) throws(ConfigurationError) -> TotemTimers {
        let token = try section?.interval("token")?.milliseconds
        // A token that is given here is meant as it is, however many nodes there are.
        var timers = CorosyncConfReader.timers(generation, token: token, coefficient: token == nil ? 650 : 0, nodes: nodes)
        guard let section else { return timers }
        try section.allowOnly(["token", "consensus", "join", "merge", "hold", "tokenRetransmit"])
        timers.consensus = try section.interval("consensus") ?? timers.consensus
        timers.join = try section.interval("join") ?? timers.join
        timers.merge = try section.interval("merge") ?? timers.merge
        timers.hold = try section.interval("hold") ?? timers.hold
        timers.tokenRetransmit = try section.interval("tokenRetransmit") ?? timers.tokenRetransmit
        return timers
    }
}
