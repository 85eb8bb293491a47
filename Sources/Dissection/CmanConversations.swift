import CmanWire
import WireFormat

/// The clusters whose packets were recognised. cman has no magic number: a packet that could be something else counts as cman's only
/// when its cluster number was seen on its UDP port before.
struct CmanConversations {
    private struct Key: Hashable {
        var port: UInt16
        var cluster: UInt16
        var hasShortHeader: Bool
    }

    /// What is known of a cluster's generation.
    struct Memory: Equatable {
        /// The generations that nothing has ruled out.
        var possible: CmanGenerations
        /// What a node that asked to join says, until it is refused.
        var claim: CmanGenerations?

        /// The generations to choose from.
        var likely: CmanGenerations { claim ?? possible }
    }

    /// A reliable message that may come again.
    private struct Sent {
        var source: IPAddress
        var sequence: UInt16
        var port: UInt8
        var digest: Int
        var frame: Int
        var time: Int64
    }

    private var known: [Key: Memory] = [:]
    private var recent: [Sent] = []
    private var oldest = 0

    /// Conversations remembered, and reliable messages remembered among all of them.
    private static let conversationLimit = 1024
    private static let recentLimit = 512

    /// What is known of the cluster; nil when nothing of it was seen.
    func memory(port: UInt16, cluster: UInt16, hasShortHeader: Bool) -> Memory? {
        known[Key(port: port, cluster: cluster, hasShortHeader: hasShortHeader)]
    }

    mutating func remember(_ memory: Memory, port: UInt16, cluster: UInt16, hasShortHeader: Bool) {
        let key = Key(port: port, cluster: cluster, hasShortHeader: hasShortHeader)
        if known.count < Self.conversationLimit || known[key] != nil { known[key] = memory }
    }

    /// How long after a message the same one is its repetition, in nanoseconds; a node that restarts counts from 1 again.
    private static let repetitionLimit: Int64 = 60_000_000_000

    /// The frame that brought the same reliable message before; nil when it is new, and then it is remembered.
    mutating func repeated(
        _ header: CmanHeader,
        body: UnsafeRawBufferPointer,
        from source: IPAddress,
        frame: Int,
        time: Int64
    ) -> Int? {
        var hasher = Hasher()
        hasher.combine(bytes: body)
        let digest = hasher.finalize()
        for sent in recent where sent.sequence == header.sequence && sent.source == source {
            if sent.port == header.targetPort, sent.digest == digest, time &- sent.time < Self.repetitionLimit { return sent.frame }
        }
        let entry = Sent(source: source, sequence: header.sequence, port: header.targetPort, digest: digest, frame: frame, time: time)
        if recent.count < Self.recentLimit {
            recent.append(entry)
        } else {
            recent[oldest] = entry
            oldest = (oldest + 1) % Self.recentLimit
        }
        return nil
    }
}
