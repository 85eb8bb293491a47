import CLinuxNet
import WireFormat

extension linuxnet_address {
    /// The system's form of `address`.
    init(_ address: IPAddress) {
        self.init(high: address.halves.high, low: address.halves.low, family: address.family.rawValue)
    }

    /// The address; nil when there is none.
    var ipAddress: IPAddress? {
        IPAddress.Family(rawValue: family).map { IPAddress(family: $0, halves: (high, low)) }
    }
}

extension IPAddress {
    /// Whether it names a multicast group (224.0.0.0/4, ff00::/8).
    public var isMulticast: Bool {
        switch family {
        case .ipv4: halves.low >> 28 == 0xE
        case .ipv6: halves.high >> 56 == 0xFF
        }
    }

    /// Whether it is of 127.0.0.0/8, or ::1: there, every address is this host's without being configured.
    public var isLoopback: Bool {
        switch family {
        case .ipv4: halves.low >> 24 == 127
        case .ipv6: halves == (0, 1)
        }
    }
}
