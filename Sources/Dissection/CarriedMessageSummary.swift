import TotemWire
import WireFormat

extension TextBuffer {
    /// What a carried message says, on one line, with its name. What numbers mean is taken from the fields' own labels; what the
    /// recording cut off is left out.
    mutating func append(_ carried: CarriedMessage, in tree: FieldTree) {
        append(carried.message)
        guard let kind = carried.kind else { return }
        let summary = CarriedMessageSummary(tree: tree, nodes: carried.contentNodes, sender: carried.sender)
        if case .cman(let kind) = kind { summary.append(kind, to: &self) } else { summary.append(kind, to: &self) }
    }
}

/// Says on one line what the fields of a carried message mean.
private struct CarriedMessageSummary {
    let tree: FieldTree
    let nodes: Range<Int>
    let sender: UInt32

    func append(_ kind: ServiceMessageKind, to text: inout TextBuffer) {
        switch kind {
        case .cpgMulticast, .cpgPartialMulticast:
            self.text(" group ", "value", &text)
            process(&text)
            number(" ", kind == .cpgMulticast ? "msglen" : "fraglen", &text)
            text.append(" bytes")
            if kind == .cpgPartialMulticast { label(" ", "type", &text) }
        case .cpgProcessJoin, .cpgProcessLeave:
            self.text(" group ", "value", &text)
            process(&text)
        case .cpgJoinList:
            text.append(" from ")
            text.append(sender)
        case .cpgDownList, .cpgDownListOld: number(" left ", "left_nodes", &text)
        case .syncBarrier, .syncv2Barrier, .syncv2MembershipDetermine: ring(&text)
        case .syncServiceBuild, .syncv2ServiceBuild:
            ring(&text)
            number(" services ", "service_list_entries", &text)
        case .voteQuorumNodeInfo:
            number(" node ", "nodeid", &text)
            number(" votes ", "votes", &text)
            number(" expected ", "expected_votes", &text)
            flags("flags", &text)
        case .voteQuorumReconfigure:
            label(" ", "param", &text)
            number(" node ", "nodeid", &text)
            number(" value ", "value", &text)
        case .voteQuorumKillNode:
            number(" node ", "nodeid", &text)
            label(" ", "reason", &text)
        case .voteQuorumQdeviceRegistration:
            label(" ", "operation", &text)
            self.text(" ", "name", &text)
        case .voteQuorumQdeviceReconfigure:
            self.text(" ", "oldname", &text)
            self.text(" → ", "newname", &text)
        case .voteQuorumQdeviceExtraInfo:
            number(" node ", "nodeid", &text)
            number(" ", "ei_size", &text)
            text.append(" bytes")
        case .cfgKillNode:
            number(" node ", "nodeid", &text)
            self.text(" ", "value", &text)
        case .cfgCryptoSet: label(" ", "type", &text)
        case .cfgCryptoReconfig: number(" phase ", "phase", &text)
        case .cmapMulticast: number(" items ", "no_items", &text)
        case .ploadStart:
            number(" ", "msg_count", &text)
            number(" messages of ", "msg_size", &text)
            text.append(" bytes")
        case .clmNodeJoin:
            self.text(" ", "value", &text)
            number(" node ", "node_id", &text)
        case .evsMulticast:
            self.text(" group ", "key", &text)
            number(" ", "msg_len", &text)
            text.append(" bytes")
        case .evt(.channelCommand): label(" ", "chc_op", &text)
        case .evt(.eventData), .evt(.recoveryEventData): self.text(" channel ", "value", &text)
        case .ckpt: self.text(" ", "value", &text)
        case .ykdState, .ykdAttempt, .cfgRingReenable, .cfgShutdown, .cfgReload, .ploadMulticast, .opaque, .cman: break
        }
    }

    func append(_ kind: CmanOnTotemKind, to text: inout TextBuffer) {
        switch kind {
        case .ack, .portEnquiry: break
        case .portOpened, .portClosed: number(" port ", "port", &text)
        case .portStatus: ports("port_bits", &text)
        case .barrier:
            label(" ", "subcmd", &text)
            self.text(" ", "name", &text)
        case .transition:
            self.text(" ", "clustername", &text)
            number(" votes ", "votes", &text)
            number(" expected ", "expected_votes", &text)
            number(" config ", "config_version", &text)
            flags("transition.flags", &text)
        case .killNode:
            number(" node ", "nodeid", &text)
            label(" ", "reason", &text)
        case .leave: label(" ", "reason", &text)
        case .reconfigure:
            label(" ", "param", &text)
            number(" node ", "nodeid", &text)
            number(" value ", "value", &text)
        case .fenceStatus:
            number(" node ", "nodeid", &text)
            if let (_, fenced, _) = field("fenced") { text.append(fenced == 0 ? " not fenced" : " fenced") }
        case .joinRequest:
            self.text(" ", "name", &text)
            self.text(" cluster ", "clustername", &text)
            number(" node ", "nodeid", &text)
            number(" votes ", "votes", &text)
            number(" expected ", "expected_votes", &text)
            number(" config ", "config_version", &text)
        case .joinConfirmation: number(" node ", "nodeid", &text)
        case .data:
            number(" port ", "tgtport", &text)
            if let content = bytes("data") {
                text.append(" ")
                text.append(content.range.count)
                text.append(" bytes")
            }
        }
        target(&text)
    }

    /// From which node of cman to which.
    private func target(_ text: inout TextBuffer) {
        guard let (_, source, _) = field("srcid"), let (_, target, _) = field("tgtid") else { return }
        text.append(" (")
        text.append(Int64(bitPattern: source))
        text.append("→")
        if target == 0 { text.append("all") } else { text.append(Int64(bitPattern: target)) }
        text.append(")")
    }

    // MARK: Fields

    private func process(_ text: inout TextBuffer) {
        text.append(" ")
        text.append(sender)
        number("/", "pid", &text)
    }

    /// The ring that is being synchronised. Its representative is a node id, or a structure that begins with one.
    private func ring(_ text: inout TextBuffer) {
        number(" ring ", field("rep") == nil ? "nodeid" : "rep", &text)
        number(".", "seq", &text)
    }

    private func number(_ prefix: StaticString, _ name: StaticString, _ text: inout TextBuffer) {
        guard let (isSigned, number, _) = field(name) else { return }
        text.append(prefix)
        if isSigned { text.append(Int64(bitPattern: number)) } else { text.append(number) }
    }

    private func label(_ prefix: StaticString, _ name: StaticString, _ text: inout TextBuffer) {
        guard let (_, number, format) = field(name) else { return }
        text.append(prefix)
        text.append(meaningOf: number, format)
    }

    private func flags(_ name: StaticString, _ text: inout TextBuffer) {
        if let (_, flags, _) = field(name), flags != 0 { label(" ", name, &text) }
    }

    private func text(_ prefix: StaticString, _ name: StaticString, _ text: inout TextBuffer) {
        guard let (index, range) = bytes(name) else { return }
        text.append(prefix)
        tree.withBytes(ofNode: index) { bytes in
            let run = UnsafeRawBufferPointer(rebasing: bytes[range.range])
            text.append(foreign: UnsafeRawBufferPointer(rebasing: run.prefix { $0 != 0 }))
        }
    }

    /// The ports whose bits are set.
    private func ports(_ name: StaticString, _ text: inout TextBuffer) {
        guard let (index, range) = bytes(name) else { return }
        text.append(" ports {")
        tree.withBytes(ofNode: index) { bytes in
            var isFirst = true
            for (place, byte) in bytes[range.range].enumerated() {
                for bit in 0..<8 where byte & 1 << UInt8(bit) != 0 {
                    if !isFirst { text.append(",") }
                    isFirst = false
                    text.append(8 * place + bit)
                }
            }
        }
        text.append("}")
    }

    private func index(_ name: StaticString) -> Int? {
        nodes.first { index in
            if case .field = tree.nodes[index].kind { return tree.nodes[index].name.isEqual(to: name) }
            return false
        }
    }

    private func field(_ name: StaticString) -> (isSigned: Bool, number: UInt64, format: FieldFormat)? {
        guard let index = index(name), case .field(let value) = tree.nodes[index].kind else { return nil }
        let format = tree.format(ofNode: index)
        return switch value {
        case .unsigned(let number): (false, number, format)
        case .signed(let number): (true, UInt64(bitPattern: number), format)
        case .bytes: nil
        }
    }

    private func bytes(_ name: StaticString) -> (index: Int, range: ByteRange)? {
        guard let index = index(name), case .field(.bytes(let range)) = tree.nodes[index].kind else { return nil }
        return (index, range)
    }
}
