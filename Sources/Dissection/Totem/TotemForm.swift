import TotemWire
import WireFormat

/// How the first bytes of a datagram, or of what an envelope held, look to somebody who looks for Totem. Content alone decides: ports are
/// configuration (reference/totem-wire.md 0).
enum TotemForm {
    /// corosync 3's magic number.
    case corosync3
    /// knet without encryption.
    case knet
    /// A ring test of corosync 1 or 2.
    case ringTest(RingTestKind, ByteOrder)
    /// A message of openAIS of 2005.
    case of2005
    /// The layout of openais 0.80, which corosync 1 has too and corosync 2 nearly, and what the first bytes of the header say.
    case addressed(TotemMessageKind, ByteOrder)

    /// The form of `bytes`; nil when they are no Totem in the open. Where Totem of generation `expected` was found before, or an envelope
    /// says that it is there, a packet counts too that is cut or damaged behind its header.
    init?(_ bytes: UnsafeRawBufferPointer, expecting expected: TotemGeneration?) {
        guard bytes.count >= 4 else { return nil }
        if Corosync3.byteOrder(of: bytes) != nil {
            self = .corosync3
        } else if let order = EndianDetector.byteOrder(of: bytes) {
            self.init(endianDetector: bytes, order, expecting: expected)
        } else if KnetPacket.isRecognised(bytes), Self.isPlausibleKnet(bytes) || expected == .corosync3 {
            self = .knet
        } else {
            return nil
        }
    }

    /// Two bytes of a mark and a small number happen by chance: the rest has to fit too.
    private init?(endianDetector bytes: UnsafeRawBufferPointer, _ order: ByteOrder, expecting expected: TotemGeneration?) {
        if let kind = RingTestKind(rawValue: Int8(bitPattern: bytes[0])) {
            guard bytes.count == RingTest.size || expected == .corosync1 || expected == .corosync2 else { return nil }
            self = .ringTest(kind, order)
            return
        }
        guard let kind = TotemMessageKind(rawValue: Int8(bitPattern: bytes[0])) else { return nil }
        if Self.hasAddresses(bytes, kind, order) {
            self = .addressed(kind, order)
        } else if Self.hasLayoutOf2005(bytes, kind, order) {
            self = .of2005
        } else {
            switch expected {
            case .openais080, .corosync1, .corosync2: self = .addressed(kind, order)
            case .totem2005: self = .of2005
            case .corosync3, nil: return nil
            }
        }
    }

    /// Whether an address family stands where openais 0.80 and later have the first one.
    private static func hasAddresses(_ bytes: UnsafeRawBufferPointer, _ kind: TotemMessageKind, _ order: ByteOrder) -> Bool {
        // corosync 2 has a count in front of the addresses of a processor.
        switch kind {
        case .token: isFamily(bytes, at: 28, order)
        // An IPv4 address of 2005 can look like a family, so the ring's has to fit too, or what recovery says.
        case .mcast:
            (isFamily(bytes, at: 12, order) && isFamily(bytes, at: 64, order))
                || (isFamily(bytes, at: 13, order) && isFamily(bytes, at: 65, order))
        case .mergeDetect: bytes.count >= 82 && (isFamily(bytes, at: 12, order) || isFamily(bytes, at: 13, order))
        case .join: bytes.count != 148 && (isFamily(bytes, at: 12, order) || isFamily(bytes, at: 13, order))
        case .commitToken: isFamily(bytes, at: 16, order)
        case .holdCancel: isFamily(bytes, at: 12, order) && bytes.count >= 38
        }
    }

    private static func isFamily(_ bytes: UnsafeRawBufferPointer, at offset: Int, _ order: ByteOrder) -> Bool {
        guard bytes.count >= offset + 2 else { return false }
        let (first, second) = (bytes[offset], bytes[offset + 1])
        let family = order == .little ? UInt16(second) << 8 | UInt16(first) : UInt16(first) << 8 | UInt16(second)
        return family == TotemIPAddress.ipv4Family || family == TotemIPAddress.ipv6Family
    }

    /// Whether the length is the one that the message of 2005 has (reference/totem-wire.md 4, less 36 bytes of security).
    private static func hasLayoutOf2005(_ bytes: UnsafeRawBufferPointer, _ kind: TotemMessageKind, _ order: ByteOrder) -> Bool {
        switch kind {
        case .token: return bytes.count >= 42 && bytes.count <= 42 + 16 * OpenAIS2005.retransmitEntriesLimit && (bytes.count - 42) % 16 == 0
        case .mergeDetect, .holdCancel: return bytes.count == 16
        case .join: return bytes.count == 148
        case .commitToken: return bytes.count == 480
        case .mcast:
            guard bytes.count >= 42 else { return false }
            if bytes[1] == 1 { return EndianDetector.byteOrder(of: bytes, at: 34) == order }
            let payload = UnsafeRawBufferPointer(rebasing: bytes[32...])
            guard let packet = try? ProcessGroupPacket(reading: payload, byteOrder: order) else { return false }
            return packet.messageLengths.count > 0 && packet.lengthsAreSound(in: .totem2005)
        }
    }

    /// Whether a packet that begins with a 1 and a type is as long as knet's are.
    private static func isPlausibleKnet(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch KnetPacketKind(rawValue: bytes[1]) {
        // A whole message of corosync, or a fragment; never on another channel (reference/totem-wire.md 6.4).
        case .data:
            bytes.count > 14 && bytes[8] <= 7 && bytes[10] <= 1 && bytes[12] <= bytes[11] && bytes[13] == 0
                && (bytes[12] > 0 ? bytes[11] > 1 : bytes[11] == 1)
                && (bytes[8] != 0 || bytes[12] > 1
                    || Corosync3.byteOrder(of: UnsafeRawBufferPointer(rebasing: bytes[14...])) != nil)
        case .ping, .pong: bytes.count == 26 && bytes[25] <= 1
        case .pmtud: bytes.count >= 9 && bytes[6] < 8
        case .pmtudReply: bytes.count == 9
        case nil: false
        }
    }
}
