import CPcap

/// What a captured frame starts with.
@frozen
public enum LinkType: Hashable, Sendable {
    /// Ethernet, with any number of VLAN tags.
    case ethernet
    /// An IPv4 or IPv6 header.
    case rawIP
    /// The 16-byte pseudo header of Linux' `any` device.
    case linuxCooked
    /// The 20-byte pseudo header of Linux' `any` device.
    case linuxCooked2
    /// BSD loopback: an address family in the byte order of the recording host.
    case loopback
    /// OpenBSD loopback: an address family in network byte order.
    case openBSDLoopback
    /// A link layer that is not taken apart, by its number in libpcap.
    case unsupported(Int32)

    /// The link type with the number `number`, in a file (LINKTYPE_...) or of libpcap (DLT_...). The two differ for few link types, and
    /// those numbers have no second meaning.
    init(number: Int32) {
        switch number {
        case DLT_EN10MB: self = .ethernet
        // LINKTYPE_RAW, and DLT_RAW of Linux and of OpenBSD, which old files hold too.
        case 101, 12, 14, DLT_IPV4, DLT_IPV6: self = .rawIP
        case DLT_LINUX_SLL: self = .linuxCooked
        case DLT_LINUX_SLL2: self = .linuxCooked2
        case DLT_NULL: self = .loopback
        case DLT_LOOP: self = .openBSDLoopback
        default: self = .unsupported(number)
        }
    }

    /// libpcap's number for it.
    var dataLink: Int32 {
        switch self {
        case .ethernet: DLT_EN10MB
        case .rawIP: DLT_RAW
        case .linuxCooked: DLT_LINUX_SLL
        case .linuxCooked2: DLT_LINUX_SLL2
        case .loopback: DLT_NULL
        case .openBSDLoopback: DLT_LOOP
        case .unsupported(let number): number
        }
    }
}
