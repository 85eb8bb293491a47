import TotemWire
import WireFormat

/// The dialect that this processor speaks; the one place that names it.
typealias Dialect = Corosync3
typealias Token = OrfToken<Dialect>
typealias Message = Mcast<Dialect>
typealias Join = MemberJoin<Dialect>
typealias Commit = CommitToken<Dialect>

extension TotemMessageKind {
    /// The common header of a message of this kind from `node`.
    func header(from node: UInt32, encapsulated: Int8 = 0) -> Dialect.Header {
        var header = Dialect.Header()
        header.type = rawValue
        header.encapsulated = encapsulated
        header.nodeID = node
        return header
    }
}
