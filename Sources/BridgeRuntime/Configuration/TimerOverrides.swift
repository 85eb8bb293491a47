import CmanNode
import EngineKit
import TotemNode

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

    /// Applies `timers` of a Totem processor; a changed token changes what is derived from it.
    static func apply(_ section: YAMLSection?, to timers: inout TotemTimers) throws(ConfigurationError) {
        guard let section else { return }
        try section.allowOnly(["token", "consensus", "join", "merge", "hold", "tokenRetransmit"])
        if let token = try section.interval("token") { timers = TotemTimers(token: token) }
        timers.consensus = try section.interval("consensus") ?? timers.consensus
        timers.join = try section.interval("join") ?? timers.join
        timers.merge = try section.interval("merge") ?? timers.merge
        timers.hold = try section.interval("hold") ?? timers.hold
        timers.tokenRetransmit = try section.interval("tokenRetransmit") ?? timers.tokenRetransmit
    }
}
