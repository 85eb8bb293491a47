import EngineKit
import TotemWire

extension TotemNode {
    /// Something is to be sent: an idle ring's token must go round (token_hold_cancel_send totemsrp.c:3028).
    mutating func cancelHold(into effects: inout Output) {
        guard passing.isHeld else { return }
        passing.isHeld = false
        var cancel = HoldCancel<Dialect>()
        cancel.header = header(.holdCancel)
        cancel.ring = ringID
        multicast(&cancel, into: &effects)
        ownCopies.append(.holdCancel(ringID))
    }

    /// message_handler_token_hold_cancel (totemsrp.c:4930).
    mutating func receiveHoldCancel(for ring: Dialect.Ring, at now: Instant, into effects: inout Output) {
        guard ring == ringID else { return }
        passing.unchangedVisits = 0
        if isRepresentative { resendToken(at: now, into: &effects) }
    }
}
