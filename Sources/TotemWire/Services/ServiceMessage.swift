import WireFormat

/// Any message above totempg: what Totem delivers, reassembled, for one of the groups of `ServiceGroup`.
public struct ServiceMessage: Sendable {
    /// The message by type.
    public enum Body: Sendable {
        /// Also `syncv2.barrier` and `syncv2.memb-determine`.
        case syncBarrier(SyncBarrier)
        /// Also `syncv2.service-build`.
        case syncServiceBuild(SyncServiceBuild)
        case ykd(YKDMessage)
        case cpgProcessJoin(CPGProcessJoin)
        case cpgProcessLeave(CPGProcessLeave)
        case cpgJoinList(CPGJoinList)
        case cpgMulticast(CPGMulticast)
        case cpgDownListOld(CPGDownListOld)
        case cpgDownList(CPGDownList)
        case cpgPartialMulticast(CPGPartialMulticast)
        case voteQuorumNodeInfo(VoteQuorumNodeInfo)
        case corosync1NodeInfo(Corosync1NodeInfo)
        case voteQuorumReconfigure(VoteQuorumReconfigure)
        case corosync1Reconfigure(Corosync1Reconfigure)
        case corosync1VoteQuorumKill(Corosync1VoteQuorumKill)
        case voteQuorumQdeviceRegistration(VoteQuorumQdeviceRegistration)
        case voteQuorumQdeviceReconfigure(VoteQuorumQdeviceReconfigure)
        case voteQuorumQdeviceExtraInfo(VoteQuorumQdeviceExtraInfo)
        case cfgRingReenable(CFGRingReenable)
        case cfgKillNode(CFGKillNode)
        case cfgShutdown(CFGShutdown)
        case cfgCryptoSet(CFGCryptoSet)
        case cfgReload(CFGReload)
        case cfgCryptoReconfig(CFGCryptoReconfig)
        case cmapMulticast(CMAPMulticast)
        case ploadStart(PloadStart)
        case ploadMulticast(PloadMulticast)
        case clmNodeJoin(CLMNodeJoin)
        case evsMulticast(EVSMulticast)
        case evtEventData(EVTEventData)
        case evtChannelCommand(EVTChannelCommand)
        case ckpt(CKPTMessage)
        case opaque(OpaqueServiceMessage)
        case cman(CmanOnTotemMessage)
        /// A service or function that the generation does not have; everything behind the header is `trailing`.
        case unknown(ServiceHeader)
    }

    /// Which message it is; nil for one that the generation does not have.
    public let kind: ServiceMessageKind?
    /// The message.
    public var body: Body
    /// Bytes behind the message. Receivers ignore them.
    public var trailing = ByteRange()

    /// A message of `kind` of `generation` whose fields are all zero; readers and describers start from it. Nil stands for a message that
    /// the generation does not have.
    public init(_ kind: ServiceMessageKind?, of generation: TotemGeneration) {
        self.kind = kind
        body =
            switch kind {
            case .syncBarrier, .syncv2Barrier, .syncv2MembershipDetermine: .syncBarrier(SyncBarrier(of: generation))
            case .syncServiceBuild, .syncv2ServiceBuild: .syncServiceBuild(SyncServiceBuild(of: generation))
            case .ykdState: .ykd(YKDMessage(hasState: true))
            case .ykdAttempt: .ykd(YKDMessage(hasState: false))
            case .cpgProcessJoin: .cpgProcessJoin(CPGProcessJoin(of: generation))
            case .cpgProcessLeave: .cpgProcessLeave(CPGProcessLeave(of: generation))
            case .cpgJoinList: .cpgJoinList(CPGJoinList(of: generation))
            case .cpgMulticast: .cpgMulticast(CPGMulticast(of: generation))
            case .cpgDownListOld: .cpgDownListOld(CPGDownListOld(of: generation))
            case .cpgDownList: .cpgDownList(CPGDownList(of: generation))
            case .cpgPartialMulticast: .cpgPartialMulticast(CPGPartialMulticast(of: generation))
            case .voteQuorumNodeInfo where generation <= .corosync1: .corosync1NodeInfo(Corosync1NodeInfo(of: generation))
            case .voteQuorumNodeInfo: .voteQuorumNodeInfo(VoteQuorumNodeInfo(of: generation))
            case .voteQuorumReconfigure where generation <= .corosync1: .corosync1Reconfigure(Corosync1Reconfigure(of: generation))
            case .voteQuorumReconfigure: .voteQuorumReconfigure(VoteQuorumReconfigure(of: generation))
            case .voteQuorumKillNode: .corosync1VoteQuorumKill(Corosync1VoteQuorumKill(of: generation))
            case .voteQuorumQdeviceRegistration: .voteQuorumQdeviceRegistration(VoteQuorumQdeviceRegistration(of: generation))
            case .voteQuorumQdeviceReconfigure: .voteQuorumQdeviceReconfigure(VoteQuorumQdeviceReconfigure(of: generation))
            case .voteQuorumQdeviceExtraInfo: .voteQuorumQdeviceExtraInfo(VoteQuorumQdeviceExtraInfo(of: generation))
            case .cfgRingReenable: .cfgRingReenable(CFGRingReenable(of: generation))
            case .cfgKillNode: .cfgKillNode(CFGKillNode(of: generation))
            case .cfgShutdown: .cfgShutdown(CFGShutdown(of: generation))
            case .cfgCryptoSet: .cfgCryptoSet(CFGCryptoSet(of: generation))
            case .cfgReload: .cfgReload(CFGReload(of: generation))
            case .cfgCryptoReconfig: .cfgCryptoReconfig(CFGCryptoReconfig(of: generation))
            case .cmapMulticast: .cmapMulticast(CMAPMulticast(of: generation))
            case .ploadStart: .ploadStart(PloadStart(of: generation))
            case .ploadMulticast: .ploadMulticast(PloadMulticast(of: generation))
            case .clmNodeJoin: .clmNodeJoin(CLMNodeJoin(of: generation))
            case .evsMulticast: .evsMulticast(EVSMulticast(of: generation))
            case .evt(.eventData), .evt(.recoveryEventData): .evtEventData(EVTEventData(of: generation))
            case .evt(.channelCommand): .evtChannelCommand(EVTChannelCommand(of: generation))
            case .ckpt(let function): .ckpt(CKPTMessage(function, of: generation))
            case .opaque: .opaque(OpaqueServiceMessage(of: generation))
            case .cman(let kind): .cman(CmanOnTotemMessage(kind, of: generation))
            case nil: .unknown(ServiceHeader(of: generation))
            }
    }

    /// The message with zero fields of the kind that the first bytes of `payload` tell, for whoever walks over it with a visitor
    /// of its own.
    public init(
        matching payload: UnsafeRawBufferPointer,
        in group: ServiceGroup,
        of generation: TotemGeneration,
        byteOrder: ByteOrder
    ) throws(WireError) {
        switch group {
        case .services, .synchronisation, .syncv2:
            let header = try ServiceHeader(reading: payload, of: generation, byteOrder: byteOrder)
            self.init(ServiceMessageKind(header, in: group), of: generation)
        case .ykd:
            // Both have the same id; what they are, their length tells (vsf_ykd.c:363@wt).
            self.init(payload.count > MemoryLayout<UInt32>.size ? .ykdState : .ykdAttempt, of: generation)
        case .cman:
            let message = CmanOnTotemMessage(matching: payload, of: generation, byteOrder: byteOrder)
            self.init(message.kind.map { .cman($0) }, of: generation)
            body = .cman(message)
        }
    }

    /// Reads a message that a daemon of `generation` sent in Totem group `group`. The byte order is the sender's.
    public init(
        reading payload: UnsafeRawBufferPointer,
        in group: ServiceGroup,
        of generation: TotemGeneration,
        byteOrder: ByteOrder
    ) throws(WireError) {
        try self.init(matching: payload, in: group, of: generation, byteOrder: byteOrder)
        var reader = WireReader(payload, byteOrder: byteOrder)
        try visit(&reader)
    }

    /// The bytes at the end of the message that are not fields: a program's message, what is not taken apart, what is left over.
    public var rest: ByteRange {
        switch body {
        case .cpgMulticast(let message): message.message
        case .cpgPartialMulticast(let message): message.message
        case .voteQuorumQdeviceExtraInfo(let message): message.extraInfo
        case .ploadMulticast(let message): message.data
        case .evsMulticast(let message): message.message
        case .evtEventData(let message): message.body
        case .evtChannelCommand(let message): message.unused
        case .ckpt(let message): message.data
        case .opaque(let message): message.data
        case .cman(let message): if case .data(let range) = message.body { range } else { trailing }
        default: trailing
        }
    }

    /// Shows every field to `visitor`, in wire order.
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        switch body {
        case .syncBarrier(var message):
            try message.visit(&visitor)
            body = .syncBarrier(message)
        case .syncServiceBuild(var message):
            try message.visit(&visitor)
            body = .syncServiceBuild(message)
        case .ykd(var message):
            try message.visit(&visitor)
            body = .ykd(message)
        case .cpgProcessJoin(var message):
            try message.visit(&visitor)
            body = .cpgProcessJoin(message)
        case .cpgProcessLeave(var message):
            try message.visit(&visitor)
            body = .cpgProcessLeave(message)
        case .cpgJoinList(var message):
            try message.visit(&visitor)
            body = .cpgJoinList(message)
        case .cpgMulticast(var message):
            try message.visit(&visitor)
            body = .cpgMulticast(message)
        case .cpgDownListOld(var message):
            try message.visit(&visitor)
            body = .cpgDownListOld(message)
        case .cpgDownList(var message):
            try message.visit(&visitor)
            body = .cpgDownList(message)
        case .cpgPartialMulticast(var message):
            try message.visit(&visitor)
            body = .cpgPartialMulticast(message)
        case .voteQuorumNodeInfo(var message):
            try message.visit(&visitor)
            body = .voteQuorumNodeInfo(message)
        case .corosync1NodeInfo(var message):
            try message.visit(&visitor)
            body = .corosync1NodeInfo(message)
        case .voteQuorumReconfigure(var message):
            try message.visit(&visitor)
            body = .voteQuorumReconfigure(message)
        case .corosync1Reconfigure(var message):
            try message.visit(&visitor)
            body = .corosync1Reconfigure(message)
        case .corosync1VoteQuorumKill(var message):
            try message.visit(&visitor)
            body = .corosync1VoteQuorumKill(message)
        case .voteQuorumQdeviceRegistration(var message):
            try message.visit(&visitor)
            body = .voteQuorumQdeviceRegistration(message)
        case .voteQuorumQdeviceReconfigure(var message):
            try message.visit(&visitor)
            body = .voteQuorumQdeviceReconfigure(message)
        case .voteQuorumQdeviceExtraInfo(var message):
            try message.visit(&visitor)
            body = .voteQuorumQdeviceExtraInfo(message)
        case .cfgRingReenable(var message):
            try message.visit(&visitor)
            body = .cfgRingReenable(message)
        case .cfgKillNode(var message):
            try message.visit(&visitor)
            body = .cfgKillNode(message)
        case .cfgShutdown(var message):
            try message.visit(&visitor)
            body = .cfgShutdown(message)
        case .cfgCryptoSet(var message):
            try message.visit(&visitor)
            body = .cfgCryptoSet(message)
        case .cfgReload(var message):
            try message.visit(&visitor)
            body = .cfgReload(message)
        case .cfgCryptoReconfig(var message):
            try message.visit(&visitor)
            body = .cfgCryptoReconfig(message)
        case .cmapMulticast(var message):
            try message.visit(&visitor)
            body = .cmapMulticast(message)
        case .ploadStart(var message):
            try message.visit(&visitor)
            body = .ploadStart(message)
        case .ploadMulticast(var message):
            try message.visit(&visitor)
            body = .ploadMulticast(message)
        case .clmNodeJoin(var message):
            try message.visit(&visitor)
            body = .clmNodeJoin(message)
        case .evsMulticast(var message):
            try message.visit(&visitor)
            body = .evsMulticast(message)
        case .evtEventData(var message):
            try message.visit(&visitor)
            body = .evtEventData(message)
        case .evtChannelCommand(var message):
            try message.visit(&visitor)
            body = .evtChannelCommand(message)
        case .ckpt(var message):
            try message.visit(&visitor)
            body = .ckpt(message)
        case .opaque(var message):
            try message.visit(&visitor)
            body = .opaque(message)
        case .cman(var message):
            try message.visit(&visitor)
            body = .cman(message)
        case .unknown(var header):
            try visitor.structure("header", &header)
            body = .unknown(header)
        }
        if V.purpose != .write, visitor.includes(visitor.remaining > 0) {
            try visitor.payload("trailing", &trailing)
        }
    }
}
