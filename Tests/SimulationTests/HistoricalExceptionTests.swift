import Simulation
import Testing

/// What originals are excused for has to be theirs: clusters without ours show it too.
@Suite struct HistoricalExceptionTests {
    private static let seeds: [HistoricalException: (family: String, seed: UInt64)] = [
        .lateCopy: ("historical-loss", 11),
        .messageOfStranger: ("historical-crashes", 16),
        .staleAcknowledgement: ("historical-loss", 1),
        .nodeDownOfStranger: ("historical-everything", 80),
        .forgottenJoiner: ("historical-large", 3),
        .memberWithoutID: ("historical-everything", 76),
        .decreasedQuorum: ("historical-everything", 211),
        .disputedElection: ("historical-crashes", 407),
    ]

    @Test(arguments: HistoricalException.allCases) func clustersOfOriginalsShowIt(exception: HistoricalException) throws {
        let (family, seed) = try #require(Self.seeds[exception])
        let scenario = try #require(LegacyFamilies.historicalOnly.first { $0.name == family })
        #expect(scenario.run(seed: seed).exceptions.contains(exception), "\(family) \(seed)")
    }

    /// Nothing is excused where nothing goes wrong, nor where there is no original.
    @Test(arguments: LegacyFamilies.all + LegacyFamilies.mixed.prefix(1)) func nothingElseIsExcused(scenario: LegacyScenario) {
        guard scenario.hosts.upperBound <= 8 else { return }
        for seed in 1...5 as ClosedRange<UInt64> { #expect(scenario.run(seed: seed).exceptions.isEmpty, "\(scenario.name) \(seed)") }
    }
}
