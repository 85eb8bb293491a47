/// What the workload tells the members of a legacy cluster to do.
public enum LegacyCommand: Sendable, Hashable, CustomStringConvertible {
    /// A host sends its next message of so many bytes to a port of another host, or of all.
    case send(host: Int, port: UInt8, to: Int?, length: Int)
    /// A host leaves in order, removed or not, and stays away.
    case leave(host: Int, removed: Bool)
    /// A host that left, or that was made to leave, joins again.
    case rejoin(host: Int)
    /// A host kills another.
    case kill(host: Int, target: Int)
    /// A host asks whether anyone listens on a port of another.
    case probe(host: Int, target: Int, port: UInt8)

    public var description: String {
        switch self {
        case .send(let host, let port, let target, let length):
            "host \(host) sends \(length) bytes to port \(port) of \(target.map { "host \($0)" } ?? "all")"
        case .leave(let host, let removed): "host \(host) leaves\(removed ? ", removed" : "")"
        case .rejoin(let host): "host \(host) joins again"
        case .kill(let host, let target): "host \(host) kills host \(target)"
        case .probe(let host, let target, let port): "host \(host) probes port \(port) of host \(target)"
        }
    }
}
