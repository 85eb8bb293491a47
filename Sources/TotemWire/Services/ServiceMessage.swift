import WireFormat

/// Any message of the services: what Totem delivers, reassembled, for one of the groups of `ServiceGroup`.
public struct ServiceMessage: Sendable {
    /// The message by type.
    public enum Body: Sendable {
        case syncBarrier(SyncBarrier)
        case syncServiceBuild(SyncServiceBuild)
        case cpgProcessJoin(CPGProcessJoin)
        case cpgProcessLeave(CPGProcessLeave)
        case cpgJoinList(CPGJoinList)
        case cpgMulticast(CPGMulticast)
        case cpgDownListOld(CPGDownListOld)
        case cpgDownList(CPGDownList)
        case cpgPartialMulticast(CPGPartialMulticast)
        case voteQuorumNodeInfo(VoteQuorumNodeInfo)
        case voteQuorumReconfigure(VoteQuorumReconfigure)
        case voteQuorumQdeviceRegistration(VoteQuorumQdeviceRegistration)
        case voteQuorumQdeviceReconfigure(VoteQuorumQdeviceReconfigure)
        case cfgRingReenable(CFGRingReenable)
        case cfgKillNode(CFGKillNode)
        case cfgShutdown(CFGShutdown)
        case cfgReload(CFGReload)
        case cfgCryptoReconfig(CFGCryptoReconfig)
        case cmapMulticast(CMAPMulticast)
        /// A service or function that the generation does not have; everything behind the header is `trailing`.
        case unknown(ServiceHeader)
    }

    /// The message.
    public var body: Body
    /// Bytes behind the message. Receivers ignore them.
    public var trailing = ByteRange()

    /// A message of `kind` of `generation` whose fields are all zero; readers and describers start from it. Nil stands for a message that
    /// the generation does not have.
    public init(_ kind: ServiceMessageKind?, of generation: TotemGeneration) {
        body =
            switch kind {
            case .syncBarrier: .syncBarrier(SyncBarrier(of: generation))
            case .syncServiceBuild: .syncServiceBuild(SyncServiceBuild(of: generation))
            case .cpgProcessJoin: .cpgProcessJoin(CPGProcessJoin(of: generation))
            case .cpgProcessLeave: .cpgProcessLeave(CPGProcessLeave(of: generation))
            case .cpgJoinList: .cpgJoinList(CPGJoinList(of: generation))
            case .cpgMulticast: .cpgMulticast(CPGMulticast(of: generation))
            case .cpgDownListOld: .cpgDownListOld(CPGDownListOld(of: generation))
            case .cpgDownList: .cpgDownList(CPGDownList(of: generation))
            case .cpgPartialMulticast: .cpgPartialMulticast(CPGPartialMulticast(of: generation))
            case .voteQuorumNodeInfo: .voteQuorumNodeInfo(VoteQuorumNodeInfo(of: generation))
            case .voteQuorumReconfigure: .voteQuorumReconfigure(VoteQuorumReconfigure(of: generation))
            case .voteQuorumQdeviceRegistration: .voteQuorumQdeviceRegistration(VoteQuorumQdeviceRegistration(of: generation))
            case .voteQuorumQdeviceReconfigure: .voteQuorumQdeviceReconfigure(VoteQuorumQdeviceReconfigure(of: generation))
            case .cfgRingReenable: .cfgRingReenable(CFGRingReenable(of: generation))
            case .cfgKillNode: .cfgKillNode(CFGKillNode(of: generation))
            case .cfgShutdown: .cfgShutdown(CFGShutdown(of: generation))
            case .cfgReload: .cfgReload(CFGReload(of: generation))
            case .cfgCryptoReconfig: .cfgCryptoReconfig(CFGCryptoReconfig(of: generation))
            case .cmapMulticast: .cmapMulticast(CMAPMulticast(of: generation))
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
        let header = try ServiceHeader(reading: payload, of: generation, byteOrder: byteOrder)
        self.init(ServiceMessageKind(header, in: group), of: generation)
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

    /// The kind; nil for a message that the generation does not have.
    public var kind: ServiceMessageKind? {
        switch body {
        case .syncBarrier: .syncBarrier
        case .syncServiceBuild: .syncServiceBuild
        case .cpgProcessJoin: .cpgProcessJoin
        case .cpgProcessLeave: .cpgProcessLeave
        case .cpgJoinList: .cpgJoinList
        case .cpgMulticast: .cpgMulticast
        case .cpgDownListOld: .cpgDownListOld
        case .cpgDownList: .cpgDownList
        case .cpgPartialMulticast: .cpgPartialMulticast
        case .voteQuorumNodeInfo: .voteQuorumNodeInfo
        case .voteQuorumReconfigure: .voteQuorumReconfigure
        case .voteQuorumQdeviceRegistration: .voteQuorumQdeviceRegistration
        case .voteQuorumQdeviceReconfigure: .voteQuorumQdeviceReconfigure
        case .cfgRingReenable: .cfgRingReenable
        case .cfgKillNode: .cfgKillNode
        case .cfgShutdown: .cfgShutdown
        case .cfgReload: .cfgReload
        case .cfgCryptoReconfig: .cfgCryptoReconfig
        case .cmapMulticast: .cmapMulticast
        case .unknown: nil
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
        case .voteQuorumReconfigure(var message):
            try message.visit(&visitor)
            body = .voteQuorumReconfigure(message)
        case .voteQuorumQdeviceRegistration(var message):
            try message.visit(&visitor)
            body = .voteQuorumQdeviceRegistration(message)
        case .voteQuorumQdeviceReconfigure(var message):
            try message.visit(&visitor)
            body = .voteQuorumQdeviceReconfigure(message)
        case .cfgRingReenable(var message):
            try message.visit(&visitor)
            body = .cfgRingReenable(message)
        case .cfgKillNode(var message):
            try message.visit(&visitor)
            body = .cfgKillNode(message)
        case .cfgShutdown(var message):
            try message.visit(&visitor)
            body = .cfgShutdown(message)
        case .cfgReload(var message):
            try message.visit(&visitor)
            body = .cfgReload(message)
        case .cfgCryptoReconfig(var message):
            try message.visit(&visitor)
            body = .cfgCryptoReconfig(message)
        case .cmapMulticast(var message):
            try message.visit(&visitor)
            body = .cmapMulticast(message)
        case .unknown(var header):
            try visitor.structure("header", &header)
            body = .unknown(header)
        }
        if V.purpose == .read, visitor.remaining > 0 {
            try visitor.payload("trailing", &trailing)
        }
    }
}
