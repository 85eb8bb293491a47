import Captures
import WireFormat

/// Makes and understands the Ethernet frames by which an address is probed and announced.
struct AddressFrames {
    /// The address.
    let address: IPAddress
    /// The Ethernet address of the interface that is to hold it.
    let hardware: HardwareAddress

    /// Asks whether anyone has the address, without claiming it (RFC 5227 section 2.1.1; RFC 4862 section 5.4.2).
    func probe() throws(WireError) -> [UInt8] {
        if let number = address.ipv4Number {
            var packet = ARPPacket()
            packet.operation = ARPPacket.request
            packet.senderHardware = hardware.bytes
            packet.target = number
            return try ethernet(to: .broadcast, type: EtherType.arp) { writer throws(WireError) in try packet.visit(&writer) }
        }
        var message = NeighbourMessage()
        message.type = NeighbourMessage.solicitation
        message.target = address
        return try neighbour(&message, from: IPAddress(ipv6High: 0, low: 0), to: solicitedNodeGroup)
    }

    /// Tells everyone that the address is here now (RFC 5227 section 2.3; RFC 4861 section 7.2.6).
    func announcement() throws(WireError) -> [UInt8] {
        if let number = address.ipv4Number {
            var packet = ARPPacket()
            packet.operation = ARPPacket.request
            packet.senderHardware = hardware.bytes
            packet.sender = number
            packet.target = number
            return try ethernet(to: .broadcast, type: EtherType.arp) { writer throws(WireError) in try packet.visit(&writer) }
        }
        var message = NeighbourMessage()
        message.type = NeighbourMessage.advertisement
        message.flags = NeighbourMessage.overrideFlag
        message.target = address
        message.option = NeighbourMessage.targetLinkAddress
        message.linkAddress = hardware.bytes
        return try neighbour(&message, from: address, to: IPAddress(ipv6High: 0xFF02 << 48, low: 1))
    }

    /// Who else claims the address in `frame`; nil when it is about something else, comes from here, or cannot be read.
    func claimant(in frame: UnsafeRawBufferPointer) -> HardwareAddress? {
        do throws(WireError) {
            var reader = WireReader(frame, byteOrder: .big)
            var ethernet = EthernetHeader()
            try ethernet.visit(&reader)
            let source = HardwareAddress(ethernet.source)
            guard source != hardware else { return nil }
            switch ethernet.type {
            case EtherType.arp:
                var packet = ARPPacket()
                try packet.visit(&reader)
                let isClaimed =
                    packet.isForEthernet && packet.sender == address.ipv4Number && HardwareAddress(packet.senderHardware) != hardware
                return isClaimed ? HardwareAddress(packet.senderHardware) : nil
            case EtherType.ipv6:
                var header = IPv6Header()
                try header.visit(&reader)
                guard header.nextHeader == IPProtocol.icmp6, header.hopLimit == 255 else { return nil }
                var message = NeighbourMessage()
                try message.visit(&reader)
                guard message.type == NeighbourMessage.advertisement, message.target == address else { return nil }
                return message.option == NeighbourMessage.targetLinkAddress ? HardwareAddress(message.linkAddress) : source
            default: return nil
            }
        } catch {
            return nil
        }
    }

    /// Where solicitations for the address go (RFC 4291 section 2.7.1).
    private var solicitedNodeGroup: IPAddress {
        IPAddress(ipv6High: 0xFF02 << 48, low: 0x0000_0001_FF00_0000 | (address.ipv6Numbers?.low ?? 0) & 0xFF_FFFF)
    }

    private func neighbour(_ message: inout NeighbourMessage, from source: IPAddress, to target: IPAddress) throws(WireError) -> [UInt8] {
        let size: UInt16 = message.option == 0 ? 24 : 32
        var checksum = InternetChecksum()
        checksum.add(source.networkBytes)
        checksum.add(target.networkBytes)
        checksum.add([0, 0, 0, UInt8(size), 0, 0, 0, IPProtocol.icmp6])
        checksum.add(try bytes { writer throws(WireError) in try message.visit(&writer) })
        message.checksum = checksum.value
        var header = IPv6Header()
        header.payloadLength = size
        header.nextHeader = IPProtocol.icmp6
        header.hopLimit = 255
        header.sourceHigh = source.ipv6Numbers?.high ?? 0
        header.sourceLow = source.ipv6Numbers?.low ?? 0
        header.destinationHigh = target.ipv6Numbers?.high ?? 0
        header.destinationLow = target.ipv6Numbers?.low ?? 0
        return try ethernet(to: .multicast(target), type: EtherType.ipv6) { writer throws(WireError) in
            try header.visit(&writer)
            try message.visit(&writer)
        }
    }

    private func ethernet(
        to target: HardwareAddress,
        type: UInt16,
        _ body: (inout WireWriter) throws(WireError) -> Void
    ) throws(WireError) -> [UInt8] {
        var header = EthernetHeader(destination: target.bytes, source: hardware.bytes, type: type)
        return try bytes { writer throws(WireError) in
            try header.visit(&writer)
            try body(&writer)
        }
    }

    /// What `body` writes.
    private func bytes(_ body: (inout WireWriter) throws(WireError) -> Void) throws(WireError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 128)
        var failure: WireError?
        let count = buffer.withUnsafeMutableBytes { room in
            var writer = WireWriter(room, byteOrder: .big)
            do throws(WireError) { try body(&writer) } catch { failure = error }
            return writer.offset
        }
        if let failure { throw failure }
        return Array(buffer[..<count])
    }
}
