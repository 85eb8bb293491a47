import TotemWire
import WireFormat

/// CKPT, the checkpoint service of openais, as a member takes part that keeps no checkpoints (ckpt.c:779-823, 3703-3783@wt): it passes on
/// the number that the next checkpoint gets. Checkpoints are synchronised by the member with the lowest node id of each old ring; where
/// that is this one, those of the others are lost.
struct CheckpointService: Sendable {
    /// What is told at the next token.
    private enum Step: Sendable {
        case number, checkpoints, references
    }

    private let node: UInt32
    private var step = Step.number
    /// Whether it is decided who speaks, since the last activation.
    private var isDecided = false
    private var isFirst = true
    private var speaks = false
    private var oldMembers: [UInt32] = []
    private var nextCheckpoint: UInt32 = 0

    /// The service of `node`.
    init(node: UInt32) {
        self.node = node
    }

    /// A new ring of `members`. When the synchronisation before did not come so far, what was decided then still holds, as in the daemon.
    mutating func initialise(members: [UInt32]) {
        step = .number
        guard !isDecided else { return }
        isDecided = true
        speaks = isFirst || oldMembers.filter { members.contains($0) }.min() == node
        isFirst = false
        oldMembers = members
    }

    /// What is said on `ring` while CKPT is synchronised, at each token; true when everything is said.
    mutating func process(ring: SyncRing, into outbox: inout Outbox) -> Bool {
        switch step {
        case .number:
            if speaks {
                let message = CKPTMessage(nextCheckpoint: nextCheckpoint, ring: ring)
                [UInt8](repeating: 0, count: message.data.count).withUnsafeBytes { outbox.add(message, payload: $0) }
            }
            step = .checkpoints
        case .checkpoints:
            step = .references
        case .references:
            return true
        }
        return false
    }

    /// Every member has told its checkpoints.
    mutating func activate() {
        isDecided = false
    }

    /// Takes a message of synchronisation: numbers of new checkpoints are higher than any that was told.
    mutating func receive(_ message: CKPTMessage) {
        switch message.function {
        case .syncCheckpoint, .syncCheckpointSection, .syncCheckpointRefcount:
            if message.checkpointID >= nextCheckpoint { nextCheckpoint = message.checkpointID &+ 1 }
        default: break
        }
    }
}
