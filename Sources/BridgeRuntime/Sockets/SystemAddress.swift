import CLinuxNet
import WireFormat

extension linuxnet_address {
    /// The system's form of `address`.
    init(_ address: IPAddress) {
        if let numbers = address.ipv6Numbers {
            self.init(high: numbers.high, low: numbers.low, family: address.family.rawValue)
        } else {
            self.init(high: 0, low: UInt64(address.ipv4Number ?? 0), family: address.family.rawValue)
        }
    }

    /// The address; nil when there is none.
    var ipAddress: IPAddress? {
        switch IPAddress.Family(rawValue: family) {
        case .ipv4: IPAddress(ipv4: UInt32(truncatingIfNeeded: low))
        case .ipv6: IPAddress(ipv6High: high, low: low)
        case nil: nil
        }
    }
}

extension IPAddress {
    /// Whether it names a multicast group (224.0.0.0/4, ff00::/8).
    public var isMulticast: Bool {
        if let number = ipv4Number { return number >> 28 == 0xE }
        return ipv6Numbers.map { $0.high >> 56 == 0xFF } ?? false
    }

    /// Whether it is of 127.0.0.0/8, or ::1: there, every address is this host's without being configured.
    public var isLoopback: Bool {
        if let number = ipv4Number { return number >> 24 == 127 }
        return ipv6Numbers.map { $0 == (0, 1) } ?? false
    }
}
