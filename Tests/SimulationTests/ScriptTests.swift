import EngineKit
import Simulation
import Testing

private struct Word: Sendable, CustomStringConvertible {
    var description: String
}

@Suite struct ScriptTests {
    @Test func aFailingScriptShrinksToWhatItTakes() {
        var script = Script<Word>()
        for number in 0..<100 { script.add(Word(description: "\(number)"), at: Instant(nanoseconds: Int64(number))) }
        func words(_ script: Script<Word>) -> Set<String> {
            Set(
                script.steps.map {
                    switch $0.action {
                    case .command(let word): word.description
                    case .fault(let fault): fault.description
                    }
                }
            )
        }
        let shortest = script.minimised(attempts: 1000) { words($0).isSuperset(of: ["17", "63", "64"]) }
        #expect(words(shortest) == ["17", "63", "64"])
    }

    @Test func everyFaultOfAScheduleEnds() {
        var mix = FaultMix(count: 12, span: .seconds(60), duration: .seconds(1)...(.seconds(20)))
        mix.crashes = true
        mix.pauses = true
        for seed in 0..<50 {
            var random = RandomSource(seed: UInt64(seed))
            let schedule = mix.schedule(hosts: 0..<5, from: .zero, random: &random)
            var open: [String: Int] = [:]
            for (_, fault) in schedule {
                switch fault {
                case .crash(let host), .pause(let host): open["\(host)", default: 0] += 1
                case .restart(let host), .resume(let host): open["\(host)", default: 0] -= 1
                default: Issue.record("seed \(seed): \(fault) was not asked for")
                }
            }
            #expect(open.values.allSatisfy { $0 == 0 }, "seed \(seed)")
        }
    }

    @Test func aDamagedPayloadHasNoLabel() {
        let label = MessageLabel(host: 3, incarnation: 2, number: 70_000)
        var payload = label.payload(length: 40)
        #expect(payload.withUnsafeBytes { MessageLabel(payload: $0) } == label)
        payload[39] ^= 1
        #expect(payload.withUnsafeBytes { MessageLabel(payload: $0) } == nil)
        #expect(payload.prefix(7).withUnsafeBytes { MessageLabel(payload: $0) } == nil)
    }
}
