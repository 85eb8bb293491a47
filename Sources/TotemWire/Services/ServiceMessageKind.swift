import WireFormat

/// Which message of the services it is. The raw value is its name in listings.
public enum ServiceMessageKind: String, Sendable, Hashable, CaseIterable {
    case syncBarrier = "sync.barrier"
    case syncServiceBuild = "sync.service-build"
    case cpgProcessJoin = "cpg.procjoin"
    case cpgProcessLeave = "cpg.procleave"
    case cpgJoinList = "cpg.joinlist"
    case cpgMulticast = "cpg.mcast"
    case cpgDownListOld = "cpg.downlist-old"
    case cpgDownList = "cpg.downlist"
    case cpgPartialMulticast = "cpg.partial-mcast"
    case voteQuorumNodeInfo = "votequorum.nodeinfo"
    case voteQuorumReconfigure = "votequorum.reconfigure"
    case voteQuorumQdeviceRegistration = "votequorum.qdevice-reg"
    case voteQuorumQdeviceReconfigure = "votequorum.qdevice-reconfigure"
    case cfgRingReenable = "cfg.ringreenable"
    case cfgKillNode = "cfg.killnode"
    case cfgShutdown = "cfg.shutdown"
    case cfgReload = "cfg.reload"
    case cfgCryptoReconfig = "cfg.crypto-reconfig"
    case cmapMulticast = "cmap.mcast"

    /// The kind of a message of Totem group `group` that starts with `header`; nil when the header's generation has no such message.
    public init?(_ header: ServiceHeader, in group: ServiceGroup) {
        switch group {
        case .services:
            guard let kind = Self.kind(of: header) else { return nil }
            self = kind
        case .synchronisation:
            // Totem's group alone tells the service here: the id is the bare function (sync.c:315 of 3.1.7).
            switch (header.id, header.generation) {
            case (UInt32(SyncBarrier.function), .corosync3): self = .syncBarrier
            case (UInt32(SyncServiceBuild.function), .corosync3): self = .syncServiceBuild
            default: return nil
            }
        case .syncv2, .ykd, .cman: return nil
        }
    }

    private static func kind(of header: ServiceHeader) -> ServiceMessageKind? {
        let function = header.function
        let hasItsOwnLayouts = header.generation >= .corosync2
        return switch ClusterService(number: header.service, in: header.generation) {
        case .cpg: CPGFunction(rawValue: function)?.kind
        case .votequorum where hasItsOwnLayouts: VoteQuorumFunction(rawValue: function)?.kind
        case .cfg where hasItsOwnLayouts: CFGFunction(rawValue: function)?.kind
        case .cmap: CMAPFunction(rawValue: function)?.kind
        default: nil
        }
    }
}

extension CPGFunction {
    /// The message of this function.
    public var kind: ServiceMessageKind {
        switch self {
        case .procjoin: .cpgProcessJoin
        case .procleave: .cpgProcessLeave
        case .joinlist: .cpgJoinList
        case .mcast: .cpgMulticast
        case .downlistOld: .cpgDownListOld
        case .downlist: .cpgDownList
        case .partialMcast: .cpgPartialMulticast
        }
    }
}

extension VoteQuorumFunction {
    /// The message of this function.
    public var kind: ServiceMessageKind {
        switch self {
        case .nodeinfo: .voteQuorumNodeInfo
        case .reconfigure: .voteQuorumReconfigure
        case .qdeviceReg: .voteQuorumQdeviceRegistration
        case .qdeviceReconfigure: .voteQuorumQdeviceReconfigure
        }
    }
}

extension CFGFunction {
    /// The message of this function.
    public var kind: ServiceMessageKind {
        switch self {
        case .ringreenable: .cfgRingReenable
        case .killnode: .cfgKillNode
        case .shutdown: .cfgShutdown
        case .reload: .cfgReload
        case .cryptoReconfig: .cfgCryptoReconfig
        }
    }
}

extension CMAPFunction {
    /// The message of this function.
    public var kind: ServiceMessageKind {
        switch self {
        case .mcast: .cmapMulticast
        }
    }
}
