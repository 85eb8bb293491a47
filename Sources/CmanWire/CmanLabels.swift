import WireFormat

/// Why a transition happens (reference/cman-wire.md 4.9).
public enum CmanTransitionReason: UInt8, Hashable, Sendable, CaseIterable {
    case newNode = 1
    case removeNode = 2
    case anotherRemoveNode = 3
    case newMaster = 4
    case check = 5
    case restart = 6
    case deadMaster = 7

    static func label(_ value: UInt64) -> StaticString? {
        switch value {
        case 1: "NEWNODE"
        case 2: "REMNODE"
        case 3: "ANOTHERREMNODE"
        case 4: "NEWMASTER"
        case 5: "CHECK"
        case 6: "RESTART"
        case 7: "DEADMASTER"
        default: nil
        }
    }
}

/// Answer to JOINREQ (reference/cman-wire.md 4.6).
public enum CmanJoinAnswer: UInt8, Hashable, Sendable, CaseIterable {
    case ok = 1
    case nak = 2
    case wait = 3

    static func label(_ value: UInt64) -> StaticString? {
        switch value {
        case 1: "OK"
        case 2: "NAK"
        case 3: "WAIT"
        default: nil
        }
    }
}

/// What RECONFIG changes (reference/cman-wire.md 4.8).
public enum CmanParameter: UInt8, Hashable, Sendable, CaseIterable {
    case expectedVotes = 1
    case nodeVotes = 2
    case configVersion = 3

    static func label(_ value: UInt64) -> StaticString? {
        switch value {
        case 1: "expected votes"
        case 2: "node votes"
        case 3: "config version"
        default: nil
        }
    }
}

/// Phase of a BARRIER message (reference/cman-wire.md 3.4).
public enum CmanBarrierPhase: UInt8, Hashable, Sendable, CaseIterable {
    case wait = 4
    case complete = 5

    static func label(_ value: UInt64) -> StaticString? {
        switch value {
        case 1: "REGISTER"
        case 2: "CHANGE"
        case 4: "WAIT"
        case 5: "COMPLETE"
        default: nil
        }
    }
}

/// Status of a service manager's reply (reference/cman-wire.md 8.1).
public enum CmanServiceStatus: UInt8, Hashable, Sendable, CaseIterable {
    case positive = 1
    case negative = 2
    case wait = 3

    static func label(_ value: UInt64) -> StaticString? {
        switch value {
        case 1: "POS"
        case 2: "NEG"
        case 3: "WAIT"
        default: nil
        }
    }
}

/// Why a node left; the upper digit 1 means "forced" (reference/cman-wire.md 4.3).
func leaveReasonLabel(_ value: UInt64) -> StaticString? {
    switch value {
    case 0: "down"
    case 1: "killed"
    case 2: "panic"
    case 3: "removed"
    case 4: "rejected"
    case 5: "inconsistent"
    case 6: "dead"
    case 7: "no response"
    case 0x10: "down, forced"
    case 0x13: "removed, forced"
    default: nil
    }
}

/// State of a node in a view (reference/cman-wire.md 4.1).
func nodeStateLabel(_ value: UInt64) -> StaticString? {
    switch value {
    case 1: "JOINING"
    case 2: "MEMBER"
    case 3: "DEAD"
    default: nil
    }
}

/// Opinion of VIEWACK: everything but 1 is dissent (reference/cman-wire.md 4.10).
func opinionLabel(_ value: UInt64) -> StaticString? {
    value == 1 ? "agree" : "disagree"
}
