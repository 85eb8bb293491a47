import TotemWire
import WireFormat

extension TextBuffer {
    mutating func append(_ ring: RingID) {
        append(ring.representative)
        append(".")
        append(ring.sequence)
    }

    @inline(__always)
    private mutating func append(_ label: StaticString, _ number: some BinaryInteger) {
        append(label)
        append(number)
    }

    private mutating func append(_ processors: [some TotemAddress]) {
        append("{")
        for (index, processor) in processors.enumerated() {
            if index > 0 { append(",") }
            append(processor.nodeID)
        }
        append("}")
    }

    // What a Totem message says, on one line.

    mutating func append<Dialect: TotemDialect>(_ token: OrfToken<Dialect>) {
        append(RingID(token.ring))
        append(" seq ", token.sequence)
        append(" token_seq ", token.tokenSequence)
        append(" aru ", token.allReceivedUpTo)
        if token.allReceivedUpToAddress != 0 { append(" held down by ", token.allReceivedUpToAddress) }
        if token.backlog != 0 { append(" backlog ", token.backlog) }
        if token.flowControlCount != 0 { append(" fcc ", token.flowControlCount) }
        if token.retransmitFlag != 0 { append(" recovering") }
        if !token.retransmitList.isEmpty {
            append(" asks for {")
            for (index, item) in token.retransmitList.enumerated() {
                if index > 0 { append(",") }
                append(item.sequence)
            }
            append("}")
        }
    }

    mutating func append<Dialect: TotemDialect>(_ join: MemberJoin<Dialect>) {
        if join.isLeave { append("LEAVE of node ", join.systemFrom.nodeID); append(" ") }
        append("proc ")
        append(join.processors)
        append(" failed ")
        append(join.failed)
        append(" ring_seq ", join.ringSequence)
    }

    mutating func append<Dialect: TotemDialect>(_ token: CommitToken<Dialect>) {
        append(RingID(token.ring))
        append(" token_seq ", token.tokenSequence)
        append(" members ")
        append(token.addresses)
        append(" filled ", token.memberIndex)
    }

    mutating func append<Dialect: TotemDialect>(_ mcast: Mcast<Dialect>) {
        append(RingID(mcast.ring))
        append(" seq ", mcast.sequence)
        append(" from ", mcast.systemFrom.nodeID)
    }
}
