import TotemWire
import WireFormat

/// What tells openais 0.80 and corosync 1 apart, whose messages have the very same bytes (reference/totem-wire.md 1.1, 2.2, 5.1). Nothing
/// here makes a packet Totem's; that was found from its content before.
enum GenerationEvidence {
    /// openais swaps the port before it takes one off (totemnet.c:972@wt), corosync 1 does not.
    case portOfOpenais, portOfCorosync1
    /// Only corosync has `udpu`: tokens from the port that they go to, everything else to single receivers too.
    case unicast
    /// openais leaves the version of a totempg packet as the memory was.
    case versionNotSet
    /// Only corosync 1 has the group `syncv2`, and tests rings.
    case groupSyncV2, ringTest

    /// The generation it speaks for.
    var generation: TotemGeneration {
        switch self {
        case .portOfOpenais, .versionNotSet: .openais080
        case .portOfCorosync1, .unicast, .groupSyncV2, .ringTest: .corosync1
        }
    }

    /// How it is told.
    var text: StaticString {
        switch self {
        case .portOfOpenais: "source port of openais 0.80"
        case .portOfCorosync1: "source port of corosync 1"
        case .unicast: "udpu, which openais does not have"
        case .versionNotSet: "totempg version that is not set"
        case .groupSyncV2: "group syncv2, which openais does not have"
        case .ringTest: "ring test, which openais does not have"
        }
    }

    /// What an ordinary packet of `kind` tells by itself; nil when nothing.
    init?(
        _ bytes: UnsafeRawBufferPointer,
        _ kind: TotemMessageKind,
        _ byteOrder: ByteOrder,
        from source: Endpoint,
        to destination: Endpoint
    ) {
        // A host whose byte order is the network's has nothing to swap, and both generations send from the same port.
        if byteOrder == .little, source.port == (destination.port.byteSwapped &- 1).byteSwapped {
            self = .portOfOpenais
        } else if byteOrder == .little, source.port == destination.port &- 1 {
            self = .portOfCorosync1
        } else if kind == .token || kind == .commitToken {
            guard source.port == destination.port else { return nil }
            self = .unicast
        } else if !destination.address.isForMany {
            self = .unicast
        } else if kind == .mcast {
            self.init(mcast: bytes, byteOrder)
        } else {
            return nil
        }
    }

    private init?(mcast bytes: UnsafeRawBufferPointer, _ byteOrder: ByteOrder) {
        let payload = 98
        guard bytes.count >= payload + 8, bytes[1] == UInt8(bitPattern: Mcast<OpenAIS080>.notEncapsulated) else { return nil }
        if bytes[payload] != 0 || bytes[payload + 1] != 0 {
            self = .versionNotSet
            return
        }
        let raw = bytes.loadUnaligned(fromByteOffset: payload + 6, as: UInt16.self)
        let count = Int(byteOrder == .little ? UInt16(littleEndian: raw) : UInt16(bigEndian: raw))
        // Group count, length of the name, name.
        let name = payload + 8 + 2 * count + 4
        guard bytes[payload + 5] == 0, bytes.count >= name + 6, bytes[name..<name + 6].elementsEqual("syncv2".utf8) else { return nil }
        self = .groupSyncV2
    }
}

extension IPAddress {
    /// Whether it is a multicast or the broadcast address.
    var isForMany: Bool {
        if let number = ipv4Number { return number >> 28 == 0xE || number == .max }
        return (ipv6Numbers?.high ?? 0) >> 56 == 0xFF
    }
}
