import WireFormat

/// What follows the header, by message.
public enum CmanBody: Sendable {
    case ack(CmanAck)
    case listenReq(CmanListenQuery)
    case listenResp(CmanListenQuery)
    case portClosed(CmanPortClosed)
    case barrier(CmanBarrierMessage)
    case joinConf(CmanNodeList)
    case joinReq(CmanJoinRequest)
    case leave(CmanLeave)
    case hello(CmanHello)
    case kill
    case joinAck(CmanJoinAck)
    case endTrans(CmanEndTrans)
    case reconfig(CmanReconfig)
    case masterView(CmanNodeList)
    case startTrans(CmanTransitionStart)
    case joinRej
    case viewAck(CmanViewAck)
    case startAck(CmanStartAck)
    case transition
    case newCluster(CmanNewCluster)
    case confAck
    case nominate(CmanTransitionStart)
    case nodeDown(CmanNodeDown)
    case serviceManager(CmanServiceManagerMessage)
    /// A command of port 0 or 1 that no version has.
    case unknown(command: UInt8)
    /// A program's message; its bytes are the packet's payload.
    case data

    /// A body of `kind` whose fields are all zero.
    public init(_ kind: CmanMessageKind) {
        switch kind {
        case .ack: self = .ack(CmanAck())
        case .listenReq: self = .listenReq(CmanListenQuery())
        case .listenResp: self = .listenResp(CmanListenQuery())
        case .portClosed: self = .portClosed(CmanPortClosed())
        case .barrier: self = .barrier(CmanBarrierMessage())
        case .joinConf: self = .joinConf(CmanNodeList())
        case .joinReq: self = .joinReq(CmanJoinRequest())
        case .leave: self = .leave(CmanLeave())
        case .hello: self = .hello(CmanHello())
        case .kill: self = .kill
        case .joinAck: self = .joinAck(CmanJoinAck())
        case .endTrans: self = .endTrans(CmanEndTrans())
        case .reconfig: self = .reconfig(CmanReconfig())
        case .masterView: self = .masterView(CmanNodeList())
        case .startTrans: self = .startTrans(CmanTransitionStart())
        case .joinRej: self = .joinRej
        case .viewAck: self = .viewAck(CmanViewAck())
        case .startAck: self = .startAck(CmanStartAck())
        case .transition: self = .transition
        case .newCluster: self = .newCluster(CmanNewCluster())
        case .confAck: self = .confAck
        case .nominate: self = .nominate(CmanTransitionStart())
        case .nodeDown: self = .nodeDown(CmanNodeDown())
        case .joinRequest, .joinReply, .joinStopRequest, .joinStopReply, .joinStartCommand, .leaveRequest, .leaveReply,
            .leaveStopRequest, .leaveStopReply, .leaveStartCommand, .leaveStartDone, .recover:
            var message = CmanServiceManagerMessage()
            message.type = kind.command
            self = .serviceManager(message)
        }
    }

    /// Which message it is; nil for data and for unknown commands.
    public var kind: CmanMessageKind? {
        switch self {
        case .ack: .ack
        case .listenReq: .listenReq
        case .listenResp: .listenResp
        case .portClosed: .portClosed
        case .barrier: .barrier
        case .joinConf: .joinConf
        case .joinReq: .joinReq
        case .leave: .leave
        case .hello: .hello
        case .kill: .kill
        case .joinAck: .joinAck
        case .endTrans: .endTrans
        case .reconfig: .reconfig
        case .masterView: .masterView
        case .startTrans: .startTrans
        case .joinRej: .joinRej
        case .viewAck: .viewAck
        case .startAck: .startAck
        case .transition: .transition
        case .newCluster: .newCluster
        case .confAck: .confAck
        case .nominate: .nominate
        case .nodeDown: .nodeDown
        case .serviceManager(let message): message.kind
        case .unknown, .data: nil
        }
    }

    /// Its name in listings: that of its kind, `data`, or `unknown`.
    public var name: StaticString {
        if let kind { return kind.name }
        if case .data = self { return "data" }
        return "unknown"
    }

    /// Shows the fields behind the command to `visitor`.
    mutating func visit<V: WireVisitor>(_ visitor: inout V, of generation: CmanGeneration) throws(WireError) {
        switch self {
        case .kill, .joinRej, .transition, .confAck, .unknown, .data: break
        case .hello(var message):
            try message.visit(&visitor)
            self = .hello(message)
        case .ack(var message):
            try message.visit(&visitor, of: generation)
            self = .ack(message)
        case .listenReq(var message):
            try message.visit(&visitor)
            self = .listenReq(message)
        case .listenResp(var message):
            try message.visit(&visitor)
            self = .listenResp(message)
        case .portClosed(var message):
            try message.visit(&visitor)
            self = .portClosed(message)
        case .barrier(var message):
            try message.visit(&visitor)
            self = .barrier(message)
        case .joinConf(var message):
            try message.visit(&visitor)
            self = .joinConf(message)
        case .joinReq(var message):
            try message.visit(&visitor, of: generation)
            self = .joinReq(message)
        case .leave(var message):
            try message.visit(&visitor)
            self = .leave(message)
        case .joinAck(var message):
            try message.visit(&visitor)
            self = .joinAck(message)
        case .endTrans(var message):
            try message.visit(&visitor)
            self = .endTrans(message)
        case .reconfig(var message):
            try message.visit(&visitor)
            self = .reconfig(message)
        case .masterView(var message):
            try message.visit(&visitor)
            self = .masterView(message)
        case .startTrans(var message):
            try message.visit(&visitor)
            self = .startTrans(message)
        case .viewAck(var message):
            try message.visit(&visitor)
            self = .viewAck(message)
        case .startAck(var message):
            try message.visit(&visitor, of: generation)
            self = .startAck(message)
        case .newCluster(var message):
            try message.visit(&visitor, of: generation)
            self = .newCluster(message)
        case .nominate(var message):
            try message.visit(&visitor)
            self = .nominate(message)
        case .nodeDown(var message):
            try message.visit(&visitor)
            self = .nodeDown(message)
        case .serviceManager(var message):
            try message.visit(&visitor)
            self = .serviceManager(message)
        }
    }
}
