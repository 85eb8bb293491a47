import WireFormat

/// A message of cman on Totem: the header, on port 0 a command, and what follows (reference/totem-services.md 7.7).
public struct CmanOnTotemMessage: WireMessage {
    public static var protocolName: StaticString { "cman" }
    public static var messageName: StaticString { "data" }

    /// What follows the command, by message.
    public enum Body: Sendable {
        case ack
        case portOpened(CmanOnTotemPort)
        case portClosed(CmanOnTotemPort)
        case barrier(CmanOnTotemBarrier)
        case transition(CmanOnTotemTransition)
        case killNode(CmanOnTotemKill)
        case leave(CmanOnTotemLeave)
        case reconfigure(CmanOnTotemReconfigure)
        case portEnquiry
        case portStatus(CmanOnTotemPortStatus)
        case fenceStatus(CmanOnTotemFenceStatus)
        case joinRequest(CmanOnTotemJoinRequest)
        case joinConfirmation(CmanOnTotemJoinConfirmation)
        /// A program's message.
        case data(ByteRange)
        /// A command of port 0 that cman does not have; everything behind it is left over.
        case unknown(command: UInt8)
        /// A message to port 0 that has no command.
        case none
    }

    /// The generation of Totem below, by which the first cman is told from its successors.
    public let generation: TotemGeneration
    /// The header.
    public var header = CmanOnTotemHeader()
    /// What follows.
    public var body: Body

    /// A program's message of no bytes on corosync 1.
    public init() {
        self.init(.data, of: .corosync1)
    }

    /// A message of `kind` on `generation` whose fields are all zero.
    public init(_ kind: CmanOnTotemKind, of generation: TotemGeneration) {
        self.generation = generation
        body =
            switch kind {
            case .ack: .ack
            case .portOpened: .portOpened(CmanOnTotemPort())
            case .portClosed: .portClosed(CmanOnTotemPort())
            case .barrier: .barrier(CmanOnTotemBarrier(of: generation))
            case .transition: .transition(CmanOnTotemTransition(hasVotes: generation == .corosync1))
            case .killNode: .killNode(CmanOnTotemKill(of: generation))
            case .leave: .leave(CmanOnTotemLeave())
            case .reconfigure: .reconfigure(CmanOnTotemReconfigure())
            case .portEnquiry: .portEnquiry
            case .portStatus: .portStatus(CmanOnTotemPortStatus())
            case .fenceStatus: .fenceStatus(CmanOnTotemFenceStatus())
            case .joinRequest: .joinRequest(CmanOnTotemJoinRequest())
            case .joinConfirmation: .joinConfirmation(CmanOnTotemJoinConfirmation())
            case .data: .data(ByteRange())
            }
    }

    /// A message of the shape that `payload` has, with no field read yet.
    init(matching payload: UnsafeRawBufferPointer, of generation: TotemGeneration, byteOrder: ByteOrder) {
        self.init(.data, of: generation)
        guard payload.count >= 1, payload[0] == 0 else { return }
        guard payload.count > CmanOnTotemHeader.byteCount else {
            body = .none
            return
        }
        let command = payload[CmanOnTotemHeader.byteCount]
        guard let kind = CmanOnTotemKind(command: command, of: generation) else {
            body = .unknown(command: command)
            return
        }
        self.init(kind, of: generation)
        if kind == .transition {
            let content = UnsafeRawBufferPointer(rebasing: payload[CmanOnTotemHeader.byteCount...])
            body = .transition(CmanOnTotemTransition(matching: content, of: generation, byteOrder: byteOrder))
        }
    }

    /// Which message it is; nil for an unknown command.
    public var kind: CmanOnTotemKind? {
        switch body {
        case .ack: .ack
        case .portOpened: .portOpened
        case .portClosed: .portClosed
        case .barrier: .barrier
        case .transition: .transition
        case .killNode: .killNode
        case .leave: .leave
        case .reconfigure: .reconfigure
        case .portEnquiry: .portEnquiry
        case .portStatus: .portStatus
        case .fenceStatus: .fenceStatus
        case .joinRequest: .joinRequest
        case .joinConfirmation: .joinConfirmation
        case .data: .data
        case .unknown, .none: nil
        }
    }

    /// The command on port 0.
    private var command: UInt8? {
        if case .unknown(let command) = body { command } else { kind?.command }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try header.visit(&visitor)
        if var command { try visitor.field("cmd", &command, CmanOnTotemKind.commandLabels(of: generation)) }
        switch body {
        case .ack, .portEnquiry, .unknown, .none: break
        case .portOpened(var message):
            try message.visit(&visitor)
            body = .portOpened(message)
        case .portClosed(var message):
            try message.visit(&visitor)
            body = .portClosed(message)
        case .barrier(var message):
            try message.visit(&visitor)
            body = .barrier(message)
        case .transition(var message):
            try message.visit(&visitor)
            body = .transition(message)
        case .killNode(var message):
            try message.visit(&visitor)
            body = .killNode(message)
        case .leave(var message):
            try message.visit(&visitor)
            body = .leave(message)
        case .reconfigure(var message):
            try message.visit(&visitor)
            body = .reconfigure(message)
        case .portStatus(var message):
            try message.visit(&visitor)
            body = .portStatus(message)
        case .fenceStatus(var message):
            try message.visit(&visitor)
            body = .fenceStatus(message)
        case .joinRequest(var message):
            try message.visit(&visitor)
            body = .joinRequest(message)
        case .joinConfirmation(var message):
            try message.visit(&visitor)
            body = .joinConfirmation(message)
        case .data(var range):
            try visitor.payload("data", &range)
            body = .data(range)
        }
    }
}
