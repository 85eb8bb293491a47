import TotemWire

/// How the services of a generation are synchronised on a new ring (reference/totem-services.md 7.1). openais 0.80 has barriers without
/// the services' numbers, corosync 1 the same and, behind it, a second synchronisation whose members name their services, corosync 2 and 3
/// the second one alone.
struct SynchronisationPlan: Sendable {
    /// The services that barriers without numbers lead through, in order; nil where there are no such barriers.
    var rounds: [ClusterService]?
    /// The services that this member names, ascending by number; nil where nobody names any.
    var named: [ClusterService]?
    /// The Totem group in which services are named.
    var group = ServiceGroup.synchronisation

    /// The plan of a processor with `configuration` among daemons of `generation`.
    init(of generation: TotemGeneration, _ configuration: ProcessorConfiguration) {
        let hasQuorum = configuration.quorum != nil
        switch generation {
        case .totem2005:
            break
        case .openais080:
            rounds = Self.openaisRounds
        case .corosync1 where configuration.compatibility == .whitetank:
            // The services of the second synchronisation are those that openais did not have: none that says anything (main.c:1615@fl).
            rounds = Self.openaisRounds
            named = []
            group = .syncv2
        case .corosync1:
            named = [.clm, .evt, .cpg]
            group = .syncv2
        case .corosync2:
            named = hasQuorum ? [.cmap, .cpg, .votequorum] : [.cmap, .cpg]
        case .corosync3:
            // `quorum` since 3.1.0; it says nothing (vsf_quorum.c:229 of 3.1.7).
            named = hasQuorum ? [.cmap, .cpg, .quorum, .votequorum] : [.cmap, .cpg, .quorum]
        }
    }

    /// The services of a stock openais that take part, by number. corosync 1 has stand-ins for those that it lacks (evil.c:170@fl).
    private static let openaisRounds: [ClusterService] = [.clm, .amf, .ckpt, .evt, .cpg]
}
