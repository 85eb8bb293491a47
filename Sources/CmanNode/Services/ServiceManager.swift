import CmanWire
import EngineKit
import WireFormat

/// The answers that a member in no service group owes: every JOIN_REQ waits for one from every member (reference/cman-wire.md 8.3).
extension CmanNode {
    private static var groupNumberMask: UInt32 { 0x00FF_FFFF }

    mutating func receiveServiceManagerMessage(_ body: CmanBody, from sender: Sender, into effects: inout CmanEffects) {
        guard sender.id != 0 else {
            effects.report(.refused(.stranger(message: body.name.description, from: sender.endpoint)))
            return
        }
        guard case .serviceManager(let message) = body else {
            let detail = "no message of the service manager"
            effects.report(.refused(.unexpected(message: body.name.description, detail: detail, from: sender.endpoint)))
            return
        }
        highestGroupNumber = max(highestGroupNumber, message.globalID & Self.groupNumberMask)
        switch message.kind {
        case .joinRequest:
            var reply = CmanServiceManagerMessage()
            reply.type = CmanMessageKind.joinReply.command
            reply.status = CmanServiceStatus.negative.rawValue
            reply.eventID = message.eventID
            // Next free number: one more than the highest seen.
            reply.lastID = highestGroupNumber + 1
            send(.serviceManager(reply), to: .node(sender.id), into: &effects)
        case .joinReply:
            break
        default:
            effects.report(.refused(.unexpected(message: body.name.description, detail: "in no service group", from: sender.endpoint)))
        }
    }
}
