import WireFormat

/// A message of the single ring protocol.
public enum TotemMessage<Dialect: TotemDialect>: Sendable, Equatable {
    case token(OrfToken<Dialect>)
    case mcast(Mcast<Dialect>)
    case mergeDetect(MergeDetect<Dialect>)
    case join(MemberJoin<Dialect>)
    case commitToken(CommitToken<Dialect>)
    case holdCancel(HoldCancel<Dialect>)

    /// A message of `kind` whose fields are all zero or empty.
    public init(_ kind: TotemMessageKind) {
        switch kind {
        case .token: self = .token(.init())
        case .mcast: self = .mcast(.init())
        case .mergeDetect: self = .mergeDetect(.init())
        case .join: self = .join(.init())
        case .commitToken: self = .commitToken(.init())
        case .holdCancel: self = .holdCancel(.init())
        }
    }

    /// Which of the six it is.
    public var kind: TotemMessageKind {
        switch self {
        case .token: .token
        case .mcast: .mcast
        case .mergeDetect: .mergeDetect
        case .join: .join
        case .commitToken: .commitToken
        case .holdCancel: .holdCancel
        }
    }

    /// The common header.
    public var header: Dialect.Header {
        switch self {
        case .token(let message): message.header
        case .mcast(let message): message.header
        case .mergeDetect(let message): message.header
        case .join(let message): message.header
        case .commitToken(let message): message.header
        case .holdCancel(let message): message.header
        }
    }

    /// The ring it names; JOIN names none.
    public var ring: Dialect.Ring? {
        switch self {
        case .token(let message): message.ring
        case .mcast(let message): message.ring
        case .mergeDetect(let message): message.ring
        case .join: nil
        case .commitToken(let message): message.ring
        case .holdCancel(let message): message.ring
        }
    }

    /// Shows every field of the message to `visitor`, in wire order.
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        switch self {
        case .token(var message):
            try message.visit(&visitor)
            self = .token(message)
        case .mcast(var message):
            try message.visit(&visitor)
            self = .mcast(message)
        case .mergeDetect(var message):
            try message.visit(&visitor)
            self = .mergeDetect(message)
        case .join(var message):
            try message.visit(&visitor)
            self = .join(message)
        case .commitToken(var message):
            try message.visit(&visitor)
            self = .commitToken(message)
        case .holdCancel(var message):
            try message.visit(&visitor)
            self = .holdCancel(message)
        }
    }
}
