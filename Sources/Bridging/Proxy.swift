import EngineKit

/// One proxy's life on one side.
struct Proxy: Sendable {
    enum State: Sendable, Hashable {
        case acquiring
        case joining
        case member
        case draining(Departure, until: Instant)
        case leaving(until: Instant)
        case waiting(until: Instant)
    }

    var state: State
    var holdsAddress = false
    var failures = 0
    var lastLoss: ProxyLoss?
    var addressHolder: String?
    /// After a double identity: no attempt before this.
    var notBefore: Instant?

    var phase: ProxyPhase {
        switch state {
        case .acquiring: .acquiring
        case .joining: .joining
        case .member: .member
        case .draining: .draining
        case .leaving: .leaving
        case .waiting: .waiting
        }
    }

    /// When something has to be done about it unless it moves on by itself.
    var deadline: Instant? {
        switch state {
        case .acquiring, .joining, .member: nil
        case .draining(_, let until), .leaving(let until), .waiting(let until): until
        }
    }

    /// Whether it can send.
    var isMember: Bool {
        switch state {
        case .member, .draining: true
        case .acquiring, .joining, .leaving, .waiting: false
        }
    }
}
