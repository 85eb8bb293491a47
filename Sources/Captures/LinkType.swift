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

    /// The link type with libpcap's number `dataLink` (`pcap_datalink`).
    init(dataLink: Int32) {
        switch dataLink {
        case DLT_EN10MB: self = .ethernet
        // 101 and 228/229 are the numbers in files (LINKTYPE_RAW, _IPV4, _IPV6), which libpcap hands on where it has no DLT_ of its own.
        case DLT_RAW, 101, DLT_IPV4, DLT_IPV6: self = .rawIP
        case DLT_LINUX_SLL: self = .linuxCooked
        case DLT_LINUX_SLL2: self = .linuxCooked2
        case DLT_NULL: self = .loopback
        case DLT_LOOP: self = .openBSDLoopback
        default: self = .unsupported(dataLink)
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
