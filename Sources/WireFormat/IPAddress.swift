/// An IPv4 or IPv6 address, stored in line, without any system type.
@frozen
public struct IPAddress: Hashable, Sendable, Comparable {
    /// The protocol version of an address.
    @frozen
    public enum Family: UInt8, Hashable, Sendable, Comparable {
        case ipv4 = 4
        case ipv6 = 6

        @inlinable
        public static func < (left: Family, right: Family) -> Bool { left.rawValue < right.rawValue }
    }

    /// Its version.
    public let family: Family
    /// The first eight bytes as a number; zero for IPv4.
    @usableFromInline
    let high: UInt64
    /// The last eight bytes as a number; for IPv4 the address.
    @usableFromInline
    let low: UInt64

    @inlinable
    init(family: Family, high: UInt64, low: UInt64) {
        self.family = family
        self.high = high
        self.low = low
    }

    /// An IPv4 address from its number, e.g. 0x7F000001 for 127.0.0.1.
    @inlinable
    public init(ipv4 number: UInt32) {
        self.init(family: .ipv4, high: 0, low: UInt64(number))
    }

    /// An IPv6 address from its first and last eight bytes as numbers.
    @inlinable
    public init(ipv6High high: UInt64, low: UInt64) {
        self.init(family: .ipv6, high: high, low: low)
    }

    /// An address from its 4 or 16 bytes in network order; nil for any other count.
    public init?(networkBytes bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4:
            self.init(family: .ipv4, high: 0, low: bytes.reduce(0) { $0 << 8 | UInt64($1) })
        case 16:
            self.init(
                family: .ipv6,
                high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                low: bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
            )
        default:
            return nil
        }
    }

    /// The number of an IPv4 address; nil for IPv6.
    @inlinable
    public var ipv4Number: UInt32? { family == .ipv4 ? UInt32(truncatingIfNeeded: low) : nil }

    /// The first and last eight bytes of an IPv6 address as numbers; nil for IPv4.
    @inlinable
    public var ipv6Numbers: (high: UInt64, low: UInt64)? { family == .ipv6 ? (high, low) : nil }

    /// Its 4 or 16 bytes in network order.
    public var networkBytes: [UInt8] {
        switch family {
        case .ipv4: (0..<4).map { UInt8(truncatingIfNeeded: low >> (24 - 8 * UInt64($0))) }
        case .ipv6:
            (0..<16).map { index in
                let half = index < 8 ? high : low
                return UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64(index % 8)))
            }
        }
    }

    @inlinable
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        (left.family, left.high, left.low) < (right.family, right.high, right.low)
    }
}

extension IPAddress: LosslessStringConvertible {
    /// Reads dotted decimal, or IPv6 in any form of RFC 4291 without a zone.
    public init?(_ description: String) {
        if description.contains(":") {
            self.init(ipv6Text: description)
        } else {
            let parts = description.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 4 else { return nil }
            var number: UInt32 = 0
            for part in parts {
                guard let byte = UInt8(part), part.count <= 3, part.first != "+" else { return nil }
                number = number << 8 | UInt32(byte)
            }
            self.init(ipv4: number)
        }
    }

    private init?(ipv6Text text: String) {
        func groups(_ part: Substring) -> [UInt16]? {
            if part.isEmpty { return [] }
            var result: [UInt16] = []
            let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
            for (index, piece) in pieces.enumerated() {
                if index == pieces.count - 1, piece.contains(".") {
                    guard let number = IPAddress(String(piece))?.ipv4Number else { return nil }
                    result += [UInt16(number >> 16), UInt16(number & 0xFFFF)]
                } else {
                    guard piece.count <= 4, !piece.isEmpty, let value = UInt16(piece, radix: 16), piece.first != "+" else { return nil }
                    result.append(value)
                }
            }
            return result
        }
        let bytes = Array(text.utf8)
        let gap = bytes.indices.dropLast().first { bytes[$0] == UInt8(ascii: ":") && bytes[$0 + 1] == UInt8(ascii: ":") }
        var all: [UInt16]
        if let gap {
            let scalars = text.utf8
            let before = text[..<scalars.index(scalars.startIndex, offsetBy: gap)]
            let after = text[scalars.index(scalars.startIndex, offsetBy: gap + 2)...]
            guard let head = groups(before), let tail = groups(after), head.count + tail.count < 8 else { return nil }
            all = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
        } else {
            guard let whole = groups(text[...]), whole.count == 8 else { return nil }
            all = whole
        }
        self.init(
            family: .ipv6,
            high: all[0..<4].reduce(0) { $0 << 16 | UInt64($1) },
            low: all[4..<8].reduce(0) { $0 << 16 | UInt64($1) }
        )
    }

    /// Dotted decimal, or the canonical form of RFC 5952.
    public var description: String {
        if family == .ipv4 {
            return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)"
        }
        let groups = (0..<8).map { index -> UInt16 in
            UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> (48 - 16 * UInt64(index % 4)))
        }
        var best = 0..<0
        var start = 0
        while start < 8 {
            guard groups[start] == 0 else {
                start += 1
                continue
            }
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = end
        }
        func text(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        return best.isEmpty ? text(groups[...]) : "\(text(groups[..<best.lowerBound]))::\(text(groups[best.upperBound...]))"
    }
}
