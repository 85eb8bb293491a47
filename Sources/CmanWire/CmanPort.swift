/// Ports that are not programs' own (reference/cman-wire.md 8.7, 9).
public enum CmanPort {
    /// ACK, LISTENREQ, PORTCLOSED, BARRIER.
    public static let `protocol`: UInt8 = 0
    /// The membership protocol.
    public static let membership: UInt8 = 1
    /// The kernel's service manager; groupd in the userland of mid-2005.
    public static let serviceManager: UInt8 = 2
    /// The lock_dlm daemon of mid-2005.
    public static let lockDLM: UInt8 = 3
    /// Ports above it are blocked while the cluster is inquorate or in transition.
    public static let highestProtected: UInt8 = 9
    /// The remote execution test daemon.
    public static let sysman: UInt8 = 10
    /// LVM's cluster daemon.
    public static let clvmd: UInt8 = 11
    /// LVM's simple lock manager.
    public static let simpleLockManager: UInt8 = 12

    /// Who is known to use `port`; nil when nobody is.
    public static func user(of port: UInt8) -> StaticString? {
        switch port {
        case `protocol`: "protocol"
        case membership: "membership"
        case serviceManager: "service manager"
        case lockDLM: "lock_dlm"
        case sysman: "sysman"
        case clvmd: "clvmd"
        case simpleLockManager: "SLM"
        default: nil
        }
    }

    static func label(_ port: UInt64) -> StaticString? { user(of: UInt8(truncatingIfNeeded: port)) }
}
