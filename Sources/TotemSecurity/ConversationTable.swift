import WireFormat

/// Who talks to whom, for what is remembered of it: the sender's address, and the endpoint it sends to. Source ports are left out, since
/// senders of `udpu` have many.
struct Conversation: Hashable {
    var source: IPAddress
    var destination: Endpoint
}

/// What fitted in which conversation, in a table of bounded size.
struct ConversationTable {
    /// A scheme and the number of a key that fitted.
    struct Fit: Hashable {
        var scheme: SecurityScheme
        var key: Int
    }

    /// What is known of a conversation.
    struct Memory {
        /// What fitted last.
        var fit: Fit?
        /// How many packets have been tried in vain with all keys since one fitted.
        var failures = 0
        /// How many packets have come since they are not tried any more.
        var skipped = 0
    }

    /// How many conversations are remembered; when there are more, all are forgotten and found again.
    static let limit = 4096
    /// A conversation has so many packets tried in vain with all keys; from then on only every 256th one is.
    static let failureLimit = 4
    static let retryInterval = 256
    /// The same over all conversations, so that a flood of new ones costs no more.
    static let totalFailureLimit = 1024

    private var memories: [Conversation: Memory] = [:]
    private var total = Memory()

    /// Whether nothing is remembered.
    var isEmpty: Bool { memories.isEmpty }

    /// What fitted last, in any conversation.
    private(set) var latestFit: Fit?

    /// What fitted last in `conversation`.
    func fit(of conversation: Conversation) -> Fit? { memories[conversation]?.fit }

    /// `fit` fits in `conversation`.
    mutating func remember(_ fit: Fit, in conversation: Conversation) {
        latestFit = fit
        total = Memory()
        makeRoom()
        memories[conversation] = Memory(fit: fit)
    }

    /// Whether a packet of `conversation` is to be tried with all keys. To be followed by `remember` or `noteFailure`.
    mutating func isWorthTrying(_ conversation: Conversation) -> Bool {
        makeRoom()
        var memory = memories[conversation, default: Memory()]
        guard memory.failures >= Self.failureLimit else { return Self.isWorthTrying(&total, limit: Self.totalFailureLimit) }
        let result = Self.isWorthTrying(&memory, limit: Self.failureLimit)
        memories[conversation] = memory
        return result
    }

    /// No key fits a packet of `conversation`.
    mutating func noteFailure(in conversation: Conversation) {
        total.failures += 1
        memories[conversation, default: Memory()].failures += 1
    }

    private static func isWorthTrying(_ memory: inout Memory, limit: Int) -> Bool {
        guard memory.failures >= limit else { return true }
        memory.skipped += 1
        return memory.skipped % retryInterval == 0
    }

    private mutating func makeRoom() {
        if memories.count >= Self.limit { memories.removeAll(keepingCapacity: true) }
    }
}
