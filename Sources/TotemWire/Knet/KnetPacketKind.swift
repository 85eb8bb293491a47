/// What a knet packet is for (onwire.h:95-102@kn).
public enum KnetPacketKind: UInt8, Sendable, Hashable, CaseIterable {
    /// A message of corosync, or a fragment of one.
    case data = 0x00
    /// Asks whether a link works.
    case ping = 0x81
    /// Says that it does.
    case pong = 0x82
    /// A packet of some size, to find the largest one that comes through.
    case pmtud = 0x83
    /// Says that it came through.
    case pmtudReply = 0x84

    /// Its name in listings.
    public var name: StaticString {
        switch self {
        case .data: "data"
        case .ping: "ping"
        case .pong: "pong"
        case .pmtud: "pmtud"
        case .pmtudReply: "pmtud-reply"
        }
    }
}
