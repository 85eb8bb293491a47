import WireFormat

/// The process groups of Totem that openais, corosync and cman use (reference/totem-services.md 7.0).
public enum ServiceGroup: Sendable, Hashable, CaseIterable {
    /// Messages of the services.
    case services
    /// Messages of the synchronisation of the services.
    case synchronisation
    /// Messages of the second synchronisation that corosync 1 has.
    case syncv2
    /// Messages of the filter that decides which partition is primary (vsf_ykd.c:495@wt).
    case ykd
    /// Messages of cman on Totem.
    case cman

    /// The group's name on the wire.
    @inlinable
    public var name: StaticString {
        switch self {
        case .services: "a"
        case .synchronisation: "sync"
        case .syncv2: "syncv2"
        case .ykd: "ykd"
        case .cman: "CMAN"
        }
    }

    /// The group named by `bytes`, or nil when it is none of these.
    @inlinable
    public init?(name bytes: UnsafeRawBufferPointer) {
        if bytes.elementsEqual("a".utf8) {
            self = .services
        } else if bytes.elementsEqual("sync".utf8) {
            self = .synchronisation
        } else if bytes.elementsEqual("CMAN".utf8) {
            self = .cman
        } else if bytes.elementsEqual("syncv2".utf8) {
            self = .syncv2
        } else if bytes.elementsEqual("ykd".utf8) {
            self = .ykd
        } else {
            return nil
        }
    }
}
