import TotemWire
import WireFormat

extension TextBuffer {
    mutating func append(_ ring: RingID) {
        append(ring.representative)
        append(".")
        append(ring.sequence)
    }

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

    /// What a Totem message says, on one line.
    mutating func append<Dialect: TotemDialect>(_ message: TotemMessage<Dialect>) {
        switch message {
        case .token(let token):
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
        case .mcast(let mcast): append(mcast)
        case .mergeDetect(let detect): append(RingID(detect.ring))
        case .join(let join):
            if join.isLeave { append("LEAVE of node ", join.systemFrom.nodeID); append(" ") }
            append("proc ")
            append(join.processors)
            append(" failed ")
            append(join.failed)
            append(" ring_seq ", join.ringSequence)
        case .commitToken(let token):
            append(RingID(token.ring))
            append(" token_seq ", token.tokenSequence)
            append(" members ")
            append(token.addresses)
            append(" filled ", token.memberIndex)
        case .holdCancel(let cancel): append(RingID(cancel.ring))
        }
    }

    mutating func append<Dialect: TotemDialect>(_ mcast: Mcast<Dialect>) {
        append(RingID(mcast.ring))
        append(" seq ", mcast.sequence)
        append(" from ", mcast.systemFrom.nodeID)
    }

    /// What a carried message says, with its name.
    mutating func append(_ carried: CarriedMessage, in tree: FieldTree) {
        append(carried.message)
        let fields = CarriedFields(tree: tree, nodes: carried.nodes)
        switch carried.message {
        case "cpg.mcast", "cpg.partial-mcast":
            append(group: fields)
            append(" ", carried.sender)
            append("/", fields.number("pid"))
            append(" ", fields.number(carried.message == "cpg.mcast" ? "msglen" : "fraglen"))
            append(" bytes")
        case "cpg.procjoin", "cpg.procleave":
            append(group: fields)
            append(" ", carried.sender)
            append("/", fields.number("pid"))
        case "cpg.joinlist": append(" from ", carried.sender)
        case "cpg.downlist": append(" left ", fields.number("left_nodes"))
        case "sync.barrier":
            append(" ring ", fields.number("rep"))
            append(".", fields.number("seq"))
        case "sync.service-build":
            append(" ring ", fields.number("rep"))
            append(".", fields.number("seq"))
            append(" services ", fields.number("service_list_entries"))
        case "votequorum.nodeinfo":
            append(" node ", fields.number("nodeid"))
            append(" votes ", fields.number("votes"))
            append(" expected ", fields.number("expected_votes"))
            if let (flags, format) = fields.labelled("flags"), flags != 0 {
                append(" ")
                append(meaningOf: flags, format)
            }
        case "votequorum.reconfigure":
            append(" node ", fields.number("nodeid"))
            append(" value ", fields.number("value"))
        case "cfg.killnode": append(" node ", fields.number("nodeid"))
        default: break
        }
    }

    private mutating func append(group fields: CarriedFields) {
        append(" group ")
        fields.withText("value") { append(foreign: $0) }
    }
}

/// Looks up fields of a carried message.
private struct CarriedFields {
    let tree: FieldTree
    let nodes: Range<Int>

    private func index(_ name: StaticString) -> Int? {
        nodes.first { index in
            if case .field = tree.nodes[index].kind { return tree.nodes[index].name.isEqual(to: name) }
            return false
        }
    }

    func labelled(_ name: StaticString) -> (UInt64, FieldFormat)? {
        guard let index = index(name), case .field(.unsigned(let number), let format) = tree.nodes[index].kind else { return nil }
        return (number, format)
    }

    func number(_ name: StaticString) -> UInt64 { labelled(name)?.0 ?? 0 }

    func withText(_ name: StaticString, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard let index = index(name), case .field(.bytes(let range), _) = tree.nodes[index].kind else { return }
        tree.withBytes(ofNode: index) { bytes in
            let run = UnsafeRawBufferPointer(rebasing: bytes[range.range])
            body(UnsafeRawBufferPointer(rebasing: run.prefix { $0 != 0 }))
        }
    }
}
