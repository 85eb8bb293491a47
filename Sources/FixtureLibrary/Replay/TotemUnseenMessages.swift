import TotemNode
import TotemWire

/// How many messages a daemon sent while it was alone in its ring, until corosync 2: they stayed with it, but the commit token of its next
/// ring tells their number.
struct TotemUnseenMessages<Dialect: TotemDialect> {
    private var counts: [TotemRingID: Int] = [:]
    private var announced: [TotemRingID: Int] = [:]

    /// All of them together.
    private(set) var total = 0

    /// Those of daemon `node`, which sent and received `events`.
    init(of node: UInt32, in events: [TotemRecording<Dialect>.Event]) {
        guard Dialect.generation <= .corosync2, !Dialect.hasLayoutOf2005 else { return }
        var seen: Set<TotemRingID> = []
        var cancels: [TotemRingID: Int] = [:]
        for case .sent(let packet) in events {
            switch packet.message {
            case .token(let token): seen.insert(TotemRingID(token.ring))
            case .holdCancel(let cancel): cancels[TotemRingID(cancel.ring), default: 0] += 1
            case .commitToken(let commit):
                for (address, entry) in zip(commit.addresses, commit.entries) where address.nodeID == node {
                    let ring = TotemRingID(entry.ring)
                    guard !seen.contains(ring), counts[ring] == nil, entry.allReceivedUpTo > 0 else { continue }
                    counts[ring] = Int(entry.allReceivedUpTo)
                    total += Int(entry.allReceivedUpTo)
                }
            default: break
            }
        }
        // Before each hold cancel one of them was given.
        for (ring, count) in cancels {
            guard let all = counts[ring] else { continue }
            announced[ring] = min(count, all)
            counts[ring] = all - min(count, all)
        }
    }

    /// How many messages were sent in `ring` while its token went round; each is told once.
    mutating func take(in ring: TotemRingID) -> Int { counts.removeValue(forKey: ring) ?? 0 }

    /// Whether a message was given in `ring` when its token was held.
    mutating func isAnnounced(in ring: TotemRingID) -> Bool {
        guard let count = announced[ring], count > 0 else { return false }
        announced[ring] = count - 1
        return true
    }
}
