import TotemWire
import WireFormat

extension TextBuffer {
    mutating func append(_ ring: RingID) {
        write(atMost: TextWriter.Limit.ring) { $0.append(ring) }
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

    @inline(__always)
    mutating func append<Dialect: TotemDialect>(_ token: borrowing OrfToken<Dialect>) {
        let ring = RingID(token.ring)
        let (sequence, tokenSequence, allReceived) = (token.sequence, token.tokenSequence, token.allReceivedUpTo)
        let (address, backlog) = (token.allReceivedUpToAddress, token.backlog)
        let (flowControlCount, retransmitFlag) = (token.flowControlCount, token.retransmitFlag)
        // A ring, six numbers of 32 bits, and the words.
        write(atMost: TextWriter.Limit.ring + 6 * 10 + 80) { line in
            line.append(ring)
            line.append(" seq ")
            line.append(sequence)
            line.append(" token_seq ")
            line.append(tokenSequence)
            line.append(" aru ")
            line.append(allReceived)
            if address != 0 {
                line.append(" held down by ")
                line.append(address)
            }
            if backlog != 0 {
                line.append(" backlog ")
                line.append(backlog)
            }
            if flowControlCount != 0 {
                line.append(" fcc ")
                line.append(flowControlCount)
            }
            if retransmitFlag != 0 { line.append(" recovering") }
        }
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

    @inline(__always)
    mutating func append<Dialect: TotemDialect>(_ mcast: Mcast<Dialect>) {
        write(atMost: TextWriter.Limit.ring + 2 * 10 + 20) { line in
            line.append(RingID(mcast.ring))
            line.append(" seq ")
            line.append(mcast.sequence)
            line.append(" from ")
            line.append(mcast.systemFrom.nodeID)
        }
    }
}
