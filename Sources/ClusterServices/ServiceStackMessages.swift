import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// A message of a service that is still to be read.
struct ReceivedMessage {
    /// Which message it is.
    let kind: ServiceMessageKind
    /// All of it.
    let bytes: UnsafeRawBufferPointer
    /// The generation whose layout it has.
    let generation: TotemGeneration
    /// The sender's byte order.
    let byteOrder: ByteOrder
    /// Who sent it.
    let sender: UInt32

    /// The message as `Message`.
    @inline(__always)
    func read<Message: ServiceStructure>(_ type: Message.Type) throws(WireError) -> Message {
        var message = Message(of: generation)
        var reader = WireReader(bytes, byteOrder: byteOrder)
        try message.visit(&reader)
        return message
    }

    /// The bytes of `range`.
    func content(_ range: ByteRange) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range.range]) }
}

extension ServiceStack {
    /// A message of group `a`.
    mutating func receive(_ message: ReceivedMessage, into effects: inout ProcessorEffects) throws(WireError) {
        switch message.kind {
        case .cpgMulticast, .cpgPartialMulticast, .cpgProcessJoin, .cpgProcessLeave, .cpgJoinList, .cpgDownList, .cpgDownListOld:
            try receiveProcessGroup(message, into: &effects)
        case .voteQuorumNodeInfo, .voteQuorumReconfigure, .voteQuorumKillNode, .voteQuorumQdeviceRegistration,
            .voteQuorumQdeviceReconfigure:
            try receiveVoteQuorum(message, into: &effects)
        case .cfgKillNode, .cfgRingReenable, .cfgShutdown, .cfgReload, .cfgCryptoSet, .cfgCryptoReconfig, .cmapMulticast:
            try receiveConfiguration(message, into: &effects)
        case .evt(.channelCommand): events.receive(try message.read(EVTChannelCommand.self), from: message.sender)
        case .evt(.eventData): events.receive(try message.read(EVTEventData.self), from: message.sender)
        case .ckpt(let function):
            var checkpoint = CKPTMessage(function, of: generation)
            var reader = WireReader(message.bytes, byteOrder: message.byteOrder)
            try checkpoint.visit(&reader)
            checkpoints.receive(checkpoint)
        default:
            // Without effect on a member that has no clients of the service.
            break
        }
    }

    private mutating func receiveProcessGroup(_ message: ReceivedMessage, into effects: inout ProcessorEffects) throws(WireError) {
        let sender = message.sender
        switch message.kind {
        case .cpgMulticast:
            let multicast = try message.read(CPGMulticast.self)
            processGroups.receive(multicast, message.content(multicast.content), from: sender, into: &effects)
        case .cpgPartialMulticast:
            let multicast = try message.read(CPGPartialMulticast.self)
            processGroups.receive(multicast, message.content(multicast.content), from: sender, into: &effects)
        case .cpgProcessJoin: processGroups.receive(try message.read(CPGProcessJoin.self), from: sender, into: &effects)
        case .cpgProcessLeave: processGroups.receive(try message.read(CPGProcessLeave.self), from: sender, into: &effects)
        case .cpgJoinList: processGroups.receive(try message.read(CPGJoinList.self), from: sender, into: &effects)
        case .cpgDownList: processGroups.receive(try message.read(CPGDownList.self), from: sender, into: &effects)
        case .cpgDownListOld: processGroups.receive(try message.read(CPGDownListOld.self), from: sender, into: &effects)
        default: break
        }
    }

    private mutating func receiveVoteQuorum(_ message: ReceivedMessage, into effects: inout ProcessorEffects) throws(WireError) {
        let sender = message.sender
        switch (message.kind, generation) {
        case (.voteQuorumNodeInfo, ...TotemGeneration.corosync1):
            corosync1VoteQuorum?.receive(try message.read(Corosync1NodeInfo.self), from: sender, into: &effects)
        case (.voteQuorumReconfigure, ...TotemGeneration.corosync1):
            corosync1VoteQuorum?.receive(try message.read(Corosync1Reconfigure.self), into: &effects)
        case (.voteQuorumKillNode, _):
            corosync1VoteQuorum?.receive(try message.read(Corosync1VoteQuorumKill.self), from: sender, into: &effects)
        case (.voteQuorumNodeInfo, _):
            voteQuorum?.receive(try message.read(VoteQuorumNodeInfo.self), from: sender, into: &effects)
        case (.voteQuorumReconfigure, _): voteQuorum?.receive(try message.read(VoteQuorumReconfigure.self), into: &effects)
        case (.voteQuorumQdeviceRegistration, _):
            voteQuorum?.receive(try message.read(VoteQuorumQdeviceRegistration.self), from: sender)
        case (.voteQuorumQdeviceReconfigure, _): voteQuorum?.receive(try message.read(VoteQuorumQdeviceReconfigure.self))
        default: break
        }
    }

    private mutating func receiveConfiguration(_ message: ReceivedMessage, into effects: inout ProcessorEffects) throws(WireError) {
        let sender = message.sender
        switch message.kind {
        case .cfgKillNode: configurationService.receive(try message.read(CFGKillNode.self), from: sender, into: &effects)
        case .cmapMulticast: configurationService.receive(try message.read(CMAPMulticast.self), from: sender)
        case .cfgRingReenable:
            _ = try message.read(CFGRingReenable.self)
            // corosync 3 has nothing to enable (cfg.c:532 of 3.1.7).
            if generation < .corosync3 { configurationService.receive(.reenableRings, from: sender, into: &effects) }
        case .cfgShutdown:
            _ = try message.read(CFGShutdown.self)
            configurationService.receive(.shutdown, from: sender, into: &effects)
        case .cfgReload:
            _ = try message.read(CFGReload.self)
            configurationService.receive(.reload, from: sender, into: &effects)
        case .cfgCryptoSet:
            configurationService.receive(.setCrypto(try message.read(CFGCryptoSet.self).type), from: sender, into: &effects)
        case .cfgCryptoReconfig:
            let phase = try message.read(CFGCryptoReconfig.self).phase
            configurationService.receive(.reconfigureCrypto(phase: phase), from: sender, into: &effects)
        default: break
        }
    }
}
