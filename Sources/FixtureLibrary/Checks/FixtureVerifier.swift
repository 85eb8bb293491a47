import Captures
import Dissection

/// Makes all checks of a fixture.
public struct FixtureVerifier: Sendable {
    /// What protocols demand; nil leaves requirements out.
    public var requirements: RequirementCatalogue?
    /// Whether engines are replayed.
    public var replays = true

    /// A verifier that knows `requirements`.
    public init(requirements: RequirementCatalogue? = nil) {
        self.requirements = requirements
    }

    /// Checks `fixture`. What makes a check impossible, as a missing file, fails it.
    public func verify(_ fixture: Fixture) -> FixtureResult {
        let clock = ContinuousClock()
        let start = clock.now
        var result = FixtureResult(fixture: fixture.name, checks: [])
        result.isEvidence = fixture.settings.provenance.kind == .recorded
        do {
            try check(fixture, into: &result)
        } catch {
            result.checks.append(CheckResult("files", .failed("\(error)")))
        }
        let duration = (clock.now - start).components
        result.seconds = Double(duration.seconds) + Double(duration.attoseconds) / 1e18
        return result
    }

    private func check(_ fixture: Fixture, into result: inout FixtureResult) throws {
        let expected = try fixture.expectations()
        var bytes = ByteChecks()
        var summary = SummaryCheck(try fixture.summary())
        var timeline = CaptureTimeline(nodes: fixture.settings.nodes)
        var evidence = EvidenceCollector(requirements?.requirements ?? [])
        try CaptureReading.forEachPacket(of: fixture) { packet in
            bytes.take(packet)
            summary.take(packet)
            timeline.take(packet)
            evidence.take(packet)
        }
        func add(_ check: String, _ outcome: CheckOutcome) {
            if let reason = fixture.settings.skips[check] {
                result.checks.append(CheckResult(check, .skipped(reason)))
            } else {
                result.checks.append(CheckResult(check, outcome))
            }
        }
        let membership = MembershipChecks(timeline: timeline)
        add("dialect", dialect(of: timeline, fixture))
        add("problems", problems(of: timeline, expected))
        add("bytes", bytes.accounting)
        add("roundtrip", bytes.roundTrip)
        add("summary", summary.outcome)
        add("counts", CountCheck(timeline: timeline).outcome(expected))
        let isTold = !expected.isDraft && expected.source != "decoder"
        if isTold {
            add("views", membership.views(expected.views))
            add("formations", membership.formations(expected.formations, incompleteLogs: expected.incompleteLogs))
            add("departures", DepartureCheck(timeline: timeline).outcome(expected.departures))
            add("deliveries", DeliveryCheck(timeline: timeline, views: expected.views).outcome(expected.receptions))
        } else {
            add("views", .skipped("expected.yaml is a draft: its values come from the decoder itself"))
        }
        if replays { add("replay", try ReplayCheck(fixture).outcome()) }
        evidence.add(result.checks)
        if let requirements {
            result.requirements = evidence.exercised(of: requirements.requirements, named: fixture.settings.requirements)
            add("requirements", check(fixture.settings.requirements, exercised: Set(result.requirements), requirements))
        }
    }

    private func dialect(of timeline: CaptureTimeline, _ fixture: Fixture) -> CheckOutcome {
        let wanted = fixture.settings.dialect
        guard timeline.dialects[wanted] != nil else {
            if timeline.encrypted > 0 { return .failed("no key opens its \(timeline.encrypted) encrypted packets") }
            return .failed("no packet is \(wanted); the packets are \(timeline.dialects.keys.sorted().joined(separator: ", "))")
        }
        return .passed(wanted)
    }

    private func problems(of timeline: CaptureTimeline, _ expected: Expectations) -> CheckOutcome {
        if timeline.malformed == expected.malformed { return .passed("\(expected.malformed) packets") }
        let first = timeline.problems.first.map { ": \($0)" } ?? ""
        return .failed("\(timeline.malformed) packets have problems, not \(expected.malformed)\(first)")
    }

    private func check(_ named: [String], exercised: Set<String>, _ catalogue: RequirementCatalogue) -> CheckOutcome {
        for id in named {
            guard let requirement = catalogue[id] else { return .failed("\(id) is not in docs/requirements.md") }
            // Whether a replay shows it is known only where replays are run.
            if !replays, requirement.evidence.contains(.check("replay")) { continue }
            if !requirement.evidence.isEmpty, !exercised.contains(id) { return .failed("the capture does not show what \(id) asks for") }
        }
        return named.isEmpty ? .skipped("no requirement is named") : .passed("\(named.count) requirements")
    }
}
