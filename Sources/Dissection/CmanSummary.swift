import CmanWire
import WireFormat

/// Says on one line what a packet of cman means. What numbers mean is taken from the fields' own labels.
struct CmanSummary {
    let tree: FieldTree
    /// The packet's first node.
    let start: Int

    /// What `packet` says; of an incomplete one only the header.
    func append(_ packet: CmanPacket, isComplete: Bool, to text: inout TextBuffer) {
        if isComplete { append(packet, to: &text) }
        appendTarget(packet, to: &text)
    }

    private func append(_ packet: CmanPacket, to text: inout TextBuffer) {
        switch packet.body {
        case .ack(let ack):
            text.append("of ")
            text.append(packet.generation == .cman2a ? ack.sequence : packet.header.acknowledgement)
            text.append(" port ")
            text.append(ack.remotePort)
            if ack.status != 0 {
                text.append(" status ")
                text.append(ack.status)
            }
        case .listenReq(let query):
            text.append("port ")
            text.append(query.port)
        case .listenResp(let query):
            text.append("port ")
            text.append(query.port)
            text.append(query.listening == 0 ? " not listening" : " listening")
        case .portClosed(let closed):
            text.append("port ")
            text.append(closed.port)
        case .barrier(let barrier):
            label("subcmd", &text)
            text.append(" ")
            barrier.name.withUnsafeBytes { text.append(foreign: $0) }
        case .joinConf(let list), .masterView(let list): append(list, to: &text)
        case .joinReq(let request):
            request.nodeName.withUnsafeBytes { text.append(foreign: $0) }
            text.append(" cluster ")
            request.clusterName.withUnsafeBytes { text.append(foreign: $0) }
            number(" node ", request.wantedNodeID, &text)
            number(" votes ", UInt32(request.votes), &text)
            number(" expected ", request.expectedVotes, &text)
            number(" config ", request.configVersion, &text)
        case .leave: label("reason", &text)
        case .hello(let hello):
            number("members ", UInt32(hello.members), &text)
            number(" generation ", hello.generation, &text)
            if hello.flags != 0 {
                text.append(" ")
                label("hello.flags", &text)
            }
        case .joinAck: label("type", &text)
        case .endTrans(let end):
            number("generation ", end.generation, &text)
            number(" quorum ", end.quorum, &text)
            number(" votes ", end.totalVotes, &text)
            number(" new node ", end.newNodeID, &text)
        case .reconfig(let change):
            label("param", &text)
            number(" ", change.value, &text)
        case .startTrans(let transition), .nominate(let transition):
            label("reason", &text)
            text.append(" node ")
            text.append(transition.nodeID)
            number(" generation ", transition.generation, &text)
            if !transition.nodeName.isEmpty {
                text.append(" ")
                transition.nodeName.withUnsafeBytes { text.append(foreign: $0) }
            }
        case .viewAck: label("opinion", &text)
        case .startAck(let acknowledgement):
            number("generation ", acknowledgement.generation, &text)
            if packet.generation <= .cman3 { number(" highest node ", acknowledgement.highestNodeID, &text) }
        case .newCluster(let cluster):
            if cluster.hasValue {
                text.append("value ")
                text.append(hexadecimal: UInt64(cluster.value))
            }
        case .nodeDown(let down):
            number("node ", down.nodeID, &text)
            text.append(" ")
            label("reason", &text)
        case .serviceManager(let message): append(message, to: &text)
        case .data:
            number("port ", UInt32(packet.header.targetPort), &text)
            number(" from port ", UInt32(packet.header.sourcePort), &text)
            text.append(" ")
            text.append(packet.payload.count)
            text.append(" bytes")
        case .unknown(let command):
            number("port ", UInt32(packet.header.targetPort), &text)
            number(" command ", UInt32(command), &text)
        case .kill, .joinRej, .transition, .confAck: break
        }
    }

    private func append(_ message: CmanServiceManagerMessage, to text: inout TextBuffer) {
        switch message.kind {
        // Nothing else of these is set.
        case .joinStopReply, .leaveReply, .leaveStopReply, .leaveStartDone: break
        default:
            label("level", &text)
            text.append(" group ")
            text.append(hexadecimal: UInt64(message.globalID))
            text.append(" ")
        }
        text.append("event ")
        text.append(message.eventID)
        if message.status != 0 {
            text.append(" ")
            label("status", &text)
        }
        if let count = message.memberCount { number(" members ", count, &text) }
        if message.kind == .joinReply { number(" last id ", message.lastID, &text) }
        if message.kind == .joinRequest {
            text.append(" ")
            message.data.withUnsafeBytes { text.append(foreign: $0) }
        }
    }

    /// Whom it is for and how it is told apart from others.
    private func appendTarget(_ packet: CmanPacket, to text: inout TextBuffer) {
        let header = packet.header
        if text.count > 0 { text.append(" ") }
        text.append("(")
        text.append(header.sourceID)
        text.append("→")
        if header.targetID == 0 { text.append("all") } else { text.append(header.targetID) }
        if header.sequence != 0 {
            text.append(" seq ")
            text.append(header.sequence)
        }
        text.append(")")
    }

    private func append(_ list: CmanNodeList, to text: inout TextBuffer) {
        text.append("nodes {")
        for (index, entry) in list.entries.enumerated() {
            if index > 0 { text.append(",") }
            text.append(entry.nodeID)
        }
        text.append("}")
        if list.sequenceFlags & CmanNodeList.firstFlag == 0 { text.append(" continued") }
        if list.sequenceFlags & CmanNodeList.lastFlag == 0 { text.append(" to be continued") }
    }

    private func number(_ prefix: StaticString, _ value: UInt32, _ text: inout TextBuffer) {
        text.append(prefix)
        text.append(value)
    }

    private func label(_ name: StaticString, _ text: inout TextBuffer) {
        guard let (value, format) = tree.firstField(name, from: start), case .unsigned(let number) = value else { return }
        text.append(meaningOf: number, format)
    }
}
