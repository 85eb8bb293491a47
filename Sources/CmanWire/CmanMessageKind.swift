/// The messages of the protocol. The raw value is the target port in the upper byte and the command in the lower one
/// (reference/cman-wire.md 3, 4, 8.1).
public enum CmanMessageKind: UInt16, CaseIterable, Hashable, Sendable {
    // Port 0: protocol.
    case ack = 0x0001
    case listenReq = 0x0002
    case listenResp = 0x0003
    case portClosed = 0x0004
    case barrier = 0x0005

    // Port 1: membership.
    case joinConf = 0x0101
    case joinReq = 0x0102
    case leave = 0x0103
    case hello = 0x0104
    case kill = 0x0105
    case joinAck = 0x0106
    case endTrans = 0x0107
    case reconfig = 0x0108
    case masterView = 0x0109
    case startTrans = 0x010A
    /// Defined, never sent by any version.
    case joinRej = 0x010B
    case viewAck = 0x010C
    case startAck = 0x010D
    /// Defined, never sent by any version.
    case transition = 0x010E
    case newCluster = 0x010F
    case confAck = 0x0110
    case nominate = 0x0111
    case nodeDown = 0x0112

    // Port 2: the kernel's service manager.
    case joinRequest = 0x0201
    case joinReply = 0x0202
    case joinStopRequest = 0x0203
    case joinStopReply = 0x0204
    case joinStartCommand = 0x0205
    case leaveRequest = 0x0206
    case leaveReply = 0x0207
    case leaveStopRequest = 0x0208
    case leaveStopReply = 0x0209
    case leaveStartCommand = 0x020A
    case leaveStartDone = 0x020B
    case recover = 0x020C

    /// The message `command` of the port `port`; nil for programs' ports and commands that do not exist.
    public init?(port: UInt8, command: UInt8) {
        self.init(rawValue: UInt16(port) << 8 | UInt16(command))
    }

    /// The message `command` of the port `port` in `generation`; nil for what that generation does not have.
    public init?(port: UInt8, command: UInt8, in generation: CmanGeneration) {
        self.init(port: port, command: command)
        guard exists(in: generation) else { return nil }
    }

    /// Whether `generation` has it (reference/cman-wire.md 12.1).
    public func exists(in generation: CmanGeneration) -> Bool { self != .nodeDown || generation == .cman5 }

    /// Whether it is a reply of the service manager of which senders set only type, status and event id (reference/cman-wire.md 8.1).
    var isUnsetServiceReply: Bool {
        switch self {
        case .joinStopReply, .leaveReply, .leaveStopReply, .leaveStartDone: true
        default: false
        }
    }

    /// The port it is sent to.
    public var port: UInt8 { UInt8(rawValue >> 8) }

    /// Its first byte behind the header.
    public var command: UInt8 { UInt8(truncatingIfNeeded: rawValue) }

    /// Its name in listings.
    public var name: StaticString {
        switch self {
        case .ack: "ack"
        case .listenReq: "listenreq"
        case .listenResp: "listenresp"
        case .portClosed: "portclosed"
        case .barrier: "barrier"
        case .joinConf: "joinconf"
        case .joinReq: "joinreq"
        case .leave: "leave"
        case .hello: "hello"
        case .kill: "kill"
        case .joinAck: "joinack"
        case .endTrans: "endtrans"
        case .reconfig: "reconfig"
        case .masterView: "masterview"
        case .startTrans: "starttrans"
        case .joinRej: "joinrej"
        case .viewAck: "viewack"
        case .startAck: "startack"
        case .transition: "transition"
        case .newCluster: "newcluster"
        case .confAck: "confack"
        case .nominate: "nominate"
        case .nodeDown: "nodedown"
        case .joinRequest: "sm-join-req"
        case .joinReply: "sm-join-rep"
        case .joinStopRequest: "sm-jstop-req"
        case .joinStopReply: "sm-jstop-rep"
        case .joinStartCommand: "sm-jstart-cmd"
        case .leaveRequest: "sm-leave-req"
        case .leaveReply: "sm-leave-rep"
        case .leaveStopRequest: "sm-lstop-req"
        case .leaveStopReply: "sm-lstop-rep"
        case .leaveStartCommand: "sm-lstart-cmd"
        case .leaveStartDone: "sm-lstart-done"
        case .recover: "sm-recover"
        }
    }

    static func protocolLabel(_ command: UInt64) -> StaticString? {
        CmanMessageKind(port: CmanPort.protocol, command: UInt8(truncatingIfNeeded: command))?.name
    }

    static func membershipLabel(_ command: UInt64) -> StaticString? {
        CmanMessageKind(port: CmanPort.membership, command: UInt8(truncatingIfNeeded: command))?.name
    }

    static func serviceManagerLabel(_ command: UInt64) -> StaticString? {
        CmanMessageKind(port: CmanPort.serviceManager, command: UInt8(truncatingIfNeeded: command))?.name
    }
}
