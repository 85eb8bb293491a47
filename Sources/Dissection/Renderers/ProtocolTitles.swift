/// What protocols are called in headings.
enum ProtocolTitles {
    /// The title of the protocol `name`; the name itself where there is no other.
    static func title(of name: StaticString) -> StaticString {
        switch name.description {
        case "eth": "Ethernet II"
        case "vlan": "802.1Q Virtual LAN"
        case "sll": "Linux cooked capture"
        case "ip": "Internet Protocol Version 4"
        case "ipv6": "Internet Protocol Version 6"
        case "udp": "User Datagram Protocol"
        case "tcp": "Transmission Control Protocol"
        case "cman": "Cluster manager (cman)"
        case "dlm": "Distributed lock manager"
        case "knet": "Kronosnet"
        case "totem": "Totem single ring protocol"
        case "totempg": "Totem process groups"
        case "sync": "Synchronisation of services"
        case "cpg": "Closed process groups"
        case "votequorum": "Votes and quorum"
        case "cfg": "Configuration service"
        case "cmap": "Configuration map"
        case "data": "Data"
        default: name
        }
    }
}
