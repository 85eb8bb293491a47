import WireFormat

extension ServiceMessageKind {
    /// The kind of a message of Totem group `group` that starts with `header`; nil when the header's generation has no such message, or
    /// when messages of the group have no such header.
    public init?(_ header: ServiceHeader, in group: ServiceGroup) {
        let kind: ServiceMessageKind? =
            switch group {
            case .services: Self.kind(of: header)
            // Totem's group alone tells the service here: the id is the bare function (sync.c:315 of 3.1.7).
            case .synchronisation:
                switch header.id {
                case UInt32(SyncBarrier.function): .syncBarrier
                case UInt32(SyncServiceBuild.function): .syncServiceBuild
                default: nil
                }
            case .syncv2:
                switch header.id {
                case UInt32(SyncBarrier.function): .syncv2Barrier
                case UInt32(SyncServiceBuild.function): .syncv2ServiceBuild
                case UInt32(SyncBarrier.membershipDetermineFunction): .syncv2MembershipDetermine
                default: nil
                }
            case .ykd, .cman: nil
            }
        guard let kind, kind.isPossible(in: header.generation) else { return nil }
        self = kind
    }

    /// Rings may mix openais 0.80 and corosync 1 while they are upgraded, and look like openais 0.80.
    private func isPossible(in generation: TotemGeneration) -> Bool {
        generations.contains(generation) || generation == .openais080 && generations.contains(.corosync1)
    }

    private static func kind(of header: ServiceHeader) -> ServiceMessageKind? {
        let function = header.function
        let isCorosync1 = header.generation <= .corosync1
        switch ClusterService(number: header.service, in: header.generation) {
        case .cpg: return CPGFunction(rawValue: function)?.kind
        case .votequorum where isCorosync1 && function == Corosync1VoteQuorumKill.function: return .voteQuorumKillNode
        case .votequorum: return VoteQuorumFunction(rawValue: function)?.kind
        case .cfg where isCorosync1 && function == CFGCryptoSet.function: return .cfgCryptoSet
        case .cfg: return CFGFunction(rawValue: function)?.kind
        case .cmap: return CMAPFunction(rawValue: function)?.kind
        case .pload: return PloadFunction(rawValue: function)?.kind
        case .clm where function == 0: return .clmNodeJoin
        case .evs where function == 0: return .evsMulticast
        case .evt: return EVTFunction(rawValue: function).map { .evt($0) }
        case .ckpt: return CKPTFunction(rawValue: function).map { .ckpt($0) }
        case .some(let service): return OpaqueFunction(service, number: function, of: header.generation).map { .opaque($0) }
        case nil: return nil
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
        case .qdeviceSetExtraInfo: .voteQuorumQdeviceExtraInfo
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

extension PloadFunction {
    /// The message of this function.
    public var kind: ServiceMessageKind {
        switch self {
        case .start: .ploadStart
        case .mcast: .ploadMulticast
        }
    }
}
