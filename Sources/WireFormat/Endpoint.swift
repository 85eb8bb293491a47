/// Where a datagram comes from or goes to: an IP address and a UDP port.
@frozen
public struct Endpoint: Hashable, Sendable, Comparable {
    /// The address.
    public var address: IPAddress
    /// The UDP port, in host order.
    public var port: UInt16

    /// The endpoint `address`:`port`.
    @inlinable
    public init(_ address: IPAddress, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    @inlinable
    public static func < (left: Endpoint, right: Endpoint) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }
}

extension Endpoint: LosslessStringConvertible {
    /// Reads `address:port`, IPv6 as `[address]:port`.
    public init?(_ description: String) {
        guard let colon = description.lastIndex(of: ":"), let port = UInt16(description[description.index(after: colon)...]) else {
            return nil
        }
        var host = description[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard let address = IPAddress(String(host)) else { return nil }
        self.init(address, port)
    }

    /// `address:port`, IPv6 as `[address]:port`.
    public var description: String {
        address.family == .ipv6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}
