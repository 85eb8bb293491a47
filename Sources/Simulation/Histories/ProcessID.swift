/// One life of one host: a restarted host is another process.
public struct ProcessID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Number of the host.
    public var host: Int
    /// How often the host had been started when this life began, from 1.
    public var incarnation: Int

    /// Life `incarnation` of `host`.
    public init(host: Int, incarnation: Int) {
        self.host = host
        self.incarnation = incarnation
    }

    public static func < (left: ProcessID, right: ProcessID) -> Bool { (left.host, left.incarnation) < (right.host, right.incarnation) }

    public var description: String { "\(host).\(incarnation)" }
}

extension MessageLabel {
    /// The process that sent it.
    public var process: ProcessID { ProcessID(host: Int(host), incarnation: Int(incarnation)) }
}
