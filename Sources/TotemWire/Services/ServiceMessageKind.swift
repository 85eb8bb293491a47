import WireFormat

/// Which message above totempg it is: of a service, of synchronisation, or of cman.
public enum ServiceMessageKind: Sendable, Hashable {
    case syncBarrier
    case syncServiceBuild
    case syncv2Barrier
    case syncv2ServiceBuild
    case syncv2MembershipDetermine
    case ykdState
    case ykdAttempt
    case cpgProcessJoin
    case cpgProcessLeave
    case cpgJoinList
    case cpgMulticast
    case cpgDownListOld
    case cpgDownList
    case cpgPartialMulticast
    case voteQuorumNodeInfo
    case voteQuorumReconfigure
    /// Of corosync 1.
    case voteQuorumKillNode
    case voteQuorumQdeviceRegistration
    case voteQuorumQdeviceReconfigure
    case voteQuorumQdeviceExtraInfo
    case cfgRingReenable
    case cfgKillNode
    case cfgShutdown
    /// Of corosync 1.
    case cfgCryptoSet
    case cfgReload
    case cfgCryptoReconfig
    case cmapMulticast
    case ploadStart
    case ploadMulticast
    case clmNodeJoin
    case evsMulticast
    case evt(EVTFunction)
    case ckpt(CKPTFunction)
    case opaque(OpaqueFunction)
    case cman(CmanOnTotemKind)

    /// Its name in listings: the protocol, and the message's own name in lower case.
    public var name: StaticString {
        switch self {
        case .syncBarrier: "sync.barrier"
        case .syncServiceBuild: "sync.service-build"
        case .syncv2Barrier: "syncv2.barrier"
        case .syncv2ServiceBuild: "syncv2.service-build"
        case .syncv2MembershipDetermine: "syncv2.memb-determine"
        case .ykdState: "ykd.state"
        case .ykdAttempt: "ykd.attempt"
        case .cpgProcessJoin: "cpg.procjoin"
        case .cpgProcessLeave: "cpg.procleave"
        case .cpgJoinList: "cpg.joinlist"
        case .cpgMulticast: "cpg.mcast"
        case .cpgDownListOld: "cpg.downlist-old"
        case .cpgDownList: "cpg.downlist"
        case .cpgPartialMulticast: "cpg.partial-mcast"
        case .voteQuorumNodeInfo: "votequorum.nodeinfo"
        case .voteQuorumReconfigure: "votequorum.reconfigure"
        case .voteQuorumKillNode: "votequorum.killnode"
        case .voteQuorumQdeviceRegistration: "votequorum.qdevice-reg"
        case .voteQuorumQdeviceReconfigure: "votequorum.qdevice-reconfigure"
        case .voteQuorumQdeviceExtraInfo: "votequorum.qdevice-set-extra-info"
        case .cfgRingReenable: "cfg.ringreenable"
        case .cfgKillNode: "cfg.killnode"
        case .cfgShutdown: "cfg.shutdown"
        case .cfgCryptoSet: "cfg.crypto-set"
        case .cfgReload: "cfg.reload"
        case .cfgCryptoReconfig: "cfg.crypto-reconfig"
        case .cmapMulticast: "cmap.mcast"
        case .ploadStart: "pload.start"
        case .ploadMulticast: "pload.mcast"
        case .clmNodeJoin: "clm.nodejoin"
        case .evsMulticast: "evs.mcast"
        case .evt(.eventData): "evt.eventdata"
        case .evt(.channelCommand): "evt.chancmd"
        case .evt(.recoveryEventData): "evt.recovery-eventdata"
        case .ckpt(let function): function.messageName
        case .opaque(let function): function.name
        case .cman(let kind): kind.name
        }
    }

    /// The prefix of the names of its fields.
    public var protocolName: StaticString {
        switch self {
        case .syncBarrier, .syncServiceBuild: ServiceGroup.synchronisation.protocolName
        case .syncv2Barrier, .syncv2ServiceBuild, .syncv2MembershipDetermine: ServiceGroup.syncv2.protocolName
        case .ykdState, .ykdAttempt: ServiceGroup.ykd.protocolName
        case .cman: ServiceGroup.cman.protocolName
        default: service?.name ?? ServiceGroup.services.protocolName
        }
    }

    /// The service of group `a` that it belongs to; nil for the messages of other groups.
    public var service: ClusterService? {
        switch self {
        case .syncBarrier, .syncServiceBuild, .syncv2Barrier, .syncv2ServiceBuild, .syncv2MembershipDetermine, .ykdState, .ykdAttempt,
            .cman:
            nil
        case .cpgProcessJoin, .cpgProcessLeave, .cpgJoinList, .cpgMulticast, .cpgDownListOld, .cpgDownList, .cpgPartialMulticast: .cpg
        case .voteQuorumNodeInfo, .voteQuorumReconfigure, .voteQuorumKillNode, .voteQuorumQdeviceRegistration,
            .voteQuorumQdeviceReconfigure, .voteQuorumQdeviceExtraInfo:
            .votequorum
        case .cfgRingReenable, .cfgKillNode, .cfgShutdown, .cfgCryptoSet, .cfgReload, .cfgCryptoReconfig: .cfg
        case .cmapMulticast: .cmap
        case .ploadStart, .ploadMulticast: .pload
        case .clmNodeJoin: .clm
        case .evsMulticast: .evs
        case .evt: .evt
        case .ckpt: .ckpt
        case .opaque(let function): function.service
        }
    }

    /// The generations that have it.
    public var generations: ClosedRange<TotemGeneration> {
        switch self {
        case .syncBarrier, .ykdState, .ykdAttempt, .cpgProcessJoin, .cpgProcessLeave, .cpgJoinList, .cpgMulticast, .cpgDownListOld,
            .cfgRingReenable:
            .openais080 ... .corosync3
        case .cpgDownList, .voteQuorumNodeInfo, .voteQuorumReconfigure, .cfgKillNode, .cfgShutdown, .ploadStart, .ploadMulticast:
            .corosync1 ... .corosync3
        case .syncServiceBuild, .cpgPartialMulticast, .voteQuorumQdeviceRegistration, .voteQuorumQdeviceReconfigure, .cfgReload,
            .cmapMulticast:
            .corosync2 ... .corosync3
        case .voteQuorumQdeviceExtraInfo, .cfgCryptoReconfig: .corosync3 ... .corosync3
        case .syncv2Barrier, .syncv2ServiceBuild, .syncv2MembershipDetermine, .voteQuorumKillNode, .cfgCryptoSet:
            .corosync1 ... .corosync1
        case .clmNodeJoin, .evsMulticast, .evt, .ckpt: .openais080 ... .corosync1
        case .opaque(let function): function.generation...function.generation
        case .cman(let kind): kind.generations
        }
    }

    /// All kinds of messages that `generation` has.
    public static func all(of generation: TotemGeneration) -> [ServiceMessageKind] {
        let plain: [ServiceMessageKind] = [
            .syncBarrier, .syncServiceBuild, .syncv2Barrier, .syncv2ServiceBuild, .syncv2MembershipDetermine, .ykdState, .ykdAttempt,
            .cpgProcessJoin, .cpgProcessLeave, .cpgJoinList, .cpgMulticast, .cpgDownListOld, .cpgDownList, .cpgPartialMulticast,
            .voteQuorumNodeInfo, .voteQuorumReconfigure, .voteQuorumKillNode, .voteQuorumQdeviceRegistration,
            .voteQuorumQdeviceReconfigure, .voteQuorumQdeviceExtraInfo, .cfgRingReenable, .cfgKillNode, .cfgShutdown, .cfgCryptoSet,
            .cfgReload, .cfgCryptoReconfig, .cmapMulticast, .ploadStart, .ploadMulticast, .clmNodeJoin, .evsMulticast,
        ]
        let kinds =
            plain + EVTFunction.allCases.map { .evt($0) } + CKPTFunction.allCases.map { .ckpt($0) }
            + OpaqueFunction.all(of: generation).map { .opaque($0) } + CmanOnTotemKind.allCases.map { .cman($0) }
        return kinds.filter { $0.generations.contains(generation) }
    }
}

extension ServiceGroup {
    /// The prefix of the names of the fields of its messages; those of the services have their service's name where that is known.
    public var protocolName: StaticString {
        switch self {
        case .services: "service"
        case .synchronisation: "sync"
        case .syncv2: "syncv2"
        case .ykd: "ykd"
        case .cman: "cman"
        }
    }
}
