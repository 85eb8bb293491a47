import TotemWire
import WireFormat

extension TotemNode {
    typealias Token = OrfToken<Dialect>
    typealias Message = Mcast<Dialect>
    typealias Join = MemberJoin<Dialect>
    typealias Commit = CommitToken<Dialect>

    /// The common header of this processor's messages of `kind`.
    func header(_ kind: TotemMessageKind, encapsulated: Int8 = 0) -> Dialect.Header {
        var header = Dialect.Header()
        header.type = kind.rawValue
        header.encapsulated = encapsulated
        header.setSender(nodeID)
        return header
    }
}
