/// The services that have messages of their own in group `a`, whatever number a generation gives them (reference/totem-services.md 7.0).
public enum ClusterService: Sendable, Hashable, CaseIterable {
    case evs, clm, amf, ckpt, evt, lck, msg, cfg, cpg, cman, pcmk, confdb, quorum, pload, tmr, votequorum, ntf, amfv2, cmap, mon, wd

    /// Its name, the prefix of the names of its fields and messages.
    public var name: StaticString {
        switch self {
        case .evs: "evs"
        case .clm: "clm"
        case .amf: "amf"
        case .ckpt: "ckpt"
        case .evt: "evt"
        case .lck: "lck"
        case .msg: "msg"
        case .cfg: "cfg"
        case .cpg: "cpg"
        case .cman: "cman"
        case .pcmk: "pcmk"
        case .confdb: "confdb"
        case .quorum: "quorum"
        case .pload: "pload"
        case .tmr: "tmr"
        case .votequorum: "votequorum"
        case .ntf: "ntf"
        case .amfv2: "amfv2"
        case .cmap: "cmap"
        case .mon: "mon"
        case .wd: "wd"
        }
    }

    /// By number: openais 0.80 (ipc_gen.h:41@wt).
    private static let openais080: [ClusterService] = [.evs, .clm, .amf, .ckpt, .evt, .lck, .msg, .cfg, .cpg, .cman, .confdb]
    /// By number: corosync 1 with the plugins of openais 1 (corodefs.h:42@fl).
    private static let corosync1: [ClusterService] = [
        .evs, .clm, .amf, .ckpt, .evt, .lck, .msg, .cfg, .cpg, .cman, .pcmk, .confdb, .quorum, .pload, .tmr, .votequorum, .ntf, .amfv2,
    ]
    /// By number: corosync 2 and 3 (corodefs.h:43 in both).
    private static let corosync2: [ClusterService] = [.cmap, .cfg, .cpg, .quorum, .pload, .votequorum, .mon, .wd]

    /// The services of `generation`, by number.
    private static func table(of generation: TotemGeneration) -> [ClusterService] {
        switch generation {
        case .totem2005: []
        case .openais080: openais080
        case .corosync1: corosync1
        case .corosync2, .corosync3: corosync2
        }
    }

    /// The service that has `number` in `generation`.
    public init?(number: UInt16, in generation: TotemGeneration) {
        let table = Self.table(of: generation)
        if table.indices.contains(Int(number)) {
            self = table[Int(number)]
        } else if generation == .openais080, Self.corosync1.indices.contains(Int(number)) {
            // Rings may mix both while they are upgraded, and a mixed ring looks like openais 0.80.
            self = Self.corosync1[Int(number)]
        } else {
            return nil
        }
    }

    /// Its number in `generation`; nil where it does not exist.
    public func number(in generation: TotemGeneration) -> UInt16? {
        Self.table(of: generation).firstIndex(of: self).map { UInt16($0) }
    }
}
