import WireFormat

/// Names a message of the workload: who sent it, in which of its lives, and the how manieth it was. It travels at the start of
/// the payload; the bytes behind it follow from it, so that a receiver can tell whether all of it is whole.
public struct MessageLabel: Hashable, Sendable, Comparable {
    /// Number of the sending host.
    public var host: UInt16
    /// Incarnation of the sending host.
    public var incarnation: UInt16
    /// Counts up from 1 within one incarnation.
    public var number: UInt32

    /// Bytes that a label takes.
    public static let size = 8

    /// Message `number` of `host` in its life `incarnation`.
    public init(host: Int, incarnation: Int, number: Int) {
        self.host = UInt16(truncatingIfNeeded: host)
        self.incarnation = UInt16(truncatingIfNeeded: incarnation)
        self.number = UInt32(truncatingIfNeeded: number)
    }

    private var packed: UInt64 { UInt64(host) << 48 | UInt64(incarnation) << 32 | UInt64(number) }

    public static func < (left: MessageLabel, right: MessageLabel) -> Bool { left.packed < right.packed }

    /// A payload of `length` bytes, at least `size`.
    public func payload(length: Int) -> [UInt8] {
        var bytes = (0..<Self.size).map { UInt8(truncatingIfNeeded: packed >> (56 - 8 * UInt64($0))) }
        bytes.reserveCapacity(length)
        while bytes.count < length { bytes.append(filler(bytes.count)) }
        return bytes
    }

    /// The label of a received payload; nil when the payload is not one of the workload or is damaged.
    public init?(payload: UnsafeRawBufferPointer) {
        guard payload.count >= Self.size else { return nil }
        let packed = payload.prefix(Self.size).reduce(0) { $0 << 8 | UInt64($1) }
        host = UInt16(truncatingIfNeeded: packed >> 48)
        incarnation = UInt16(truncatingIfNeeded: packed >> 32)
        number = UInt32(truncatingIfNeeded: packed)
        for index in Self.size..<payload.count where payload[index] != filler(index) { return nil }
    }

    private func filler(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: (packed &+ UInt64(index)) &* 0x9E37_79B9_7F4A_7C15 >> 56)
    }
}

extension MessageLabel: CustomStringConvertible {
    public var description: String { "\(host).\(incarnation)#\(number)" }
}
