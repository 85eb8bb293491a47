import WireFormat

/// An Ethernet address.
public struct HardwareAddress: Sendable, Hashable, CustomStringConvertible {
    /// Its six bytes as a number, most significant first.
    let number: UInt64

    /// The address with these six bytes.
    init(_ bytes: InlineArray<6, UInt8>) {
        var number: UInt64 = 0
        for index in bytes.indices { number = number << 8 | UInt64(bytes[index]) }
        self.number = number
    }

    /// Its six bytes.
    var bytes: InlineArray<6, UInt8> {
        var bytes = InlineArray<6, UInt8>(repeating: 0)
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: number >> (40 - 8 * UInt64(index))) }
        return bytes
    }

    /// Everyone on the network.
    static var broadcast: HardwareAddress { HardwareAddress(InlineArray(repeating: 0xFF)) }

    /// Where IPv6 multicasts to `group` go (RFC 2464 section 7).
    static func multicast(_ group: IPAddress) -> HardwareAddress {
        let tail = UInt32(truncatingIfNeeded: group.ipv6Numbers?.low ?? 0)
        return HardwareAddress([
            0x33, 0x33, UInt8(tail >> 24), UInt8(tail >> 16 & 255), UInt8(tail >> 8 & 255), UInt8(tail & 255),
        ])
    }

    /// Six pairs of hexadecimal digits with colons.
    public var description: String {
        (0..<6).map { index in
            let digits = String(bytes[index], radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined(separator: ":")
    }
}
