import WireFormat

/// Which message of cman on Totem it is: cman's own on port 0, or a program's (reference/totem-services.md 7.7; cnxman-private.h:189@cman2).
public enum CmanOnTotemKind: Sendable, Hashable, CaseIterable {
    /// Never sent.
    case ack
    case portOpened
    case portClosed
    case barrier
    case transition
    case killNode
    case leave
    case reconfigure
    case portEnquiry
    case portStatus
    case fenceStatus
    /// Of the first cman only.
    case joinRequest
    /// Of the first cman only.
    case joinConfirmation
    /// A program's message.
    case data

    /// Its name in listings.
    public var name: StaticString {
        switch self {
        case .ack: "cman.ack"
        case .portOpened: "cman.portopened"
        case .portClosed: "cman.portclosed"
        case .barrier: "cman.barrier"
        case .transition: "cman.transition"
        case .killNode: "cman.killnode"
        case .leave: "cman.leave"
        case .reconfigure: "cman.reconfigure"
        case .portEnquiry: "cman.portenq"
        case .portStatus: "cman.portstatus"
        case .fenceStatus: "cman.fencestatus"
        case .joinRequest: "cman.joinreq"
        case .joinConfirmation: "cman.joinconf"
        case .data: "cman.data"
        }
    }

    /// The message of port 0 that starts with `command`; nil when cman of `generation` has none.
    public init?(command: UInt8, of generation: TotemGeneration) {
        switch (command, generation) {
        case (1, _): self = .ack
        case (2, _): self = .portOpened
        case (3, _): self = .portClosed
        case (4, _): self = .barrier
        case (5, .totem2005): self = .joinRequest
        case (5, _): self = .transition
        case (6, _): self = .killNode
        case (7, _): self = .leave
        case (8, _): self = .reconfigure
        case (9, .totem2005): self = .joinConfirmation
        case (9, _): self = .portEnquiry
        case (10, _) where generation > .totem2005: self = .portStatus
        case (11, _) where generation > .totem2005: self = .fenceStatus
        default: return nil
        }
    }

    /// Number of the command on port 0; nil for a program's message.
    public var command: UInt8? {
        switch self {
        case .ack: 1
        case .portOpened: 2
        case .portClosed: 3
        case .barrier: 4
        case .transition, .joinRequest: 5
        case .killNode: 6
        case .leave: 7
        case .reconfigure: 8
        case .portEnquiry, .joinConfirmation: 9
        case .portStatus: 10
        case .fenceStatus: 11
        case .data: nil
        }
    }

    /// The generations of Totem below the cmans that have it.
    var generations: ClosedRange<TotemGeneration> {
        switch self {
        case .joinRequest, .joinConfirmation: .totem2005 ... .totem2005
        case .transition, .portEnquiry, .portStatus, .fenceStatus: .openais080 ... .corosync1
        case .ack, .portOpened, .portClosed, .barrier, .killNode, .leave, .reconfigure, .data: .totem2005 ... .corosync1
        }
    }

    /// Names of the commands of port 0.
    static func commandLabels(of generation: TotemGeneration) -> FieldFormat {
        generation == .totem2005 ? commandsOf2005 : commands
    }

    private static let commandsOf2005 = FieldFormat.labelled { label($0, .totem2005) }
    private static let commands = FieldFormat.labelled { label($0, .openais080) }

    /// The protocol's own name of a command, in capitals.
    private static func label(_ command: UInt64, _ generation: TotemGeneration) -> StaticString? {
        switch UInt8(exactly: command).flatMap({ CmanOnTotemKind(command: $0, of: generation) }) {
        case .ack: "ACK"
        case .portOpened: "PORTOPENED"
        case .portClosed: "PORTCLOSED"
        case .barrier: "BARRIER"
        case .transition: "TRANSITION"
        case .killNode: "KILLNODE"
        case .leave: "LEAVE"
        case .reconfigure: "RECONFIGURE"
        case .portEnquiry: "PORTENQ"
        case .portStatus: "PORTSTATUS"
        case .fenceStatus: "FENCESTATUS"
        case .joinRequest: "JOINREQ"
        case .joinConfirmation: "JOINCONF"
        case .data, nil: nil
        }
    }
}
