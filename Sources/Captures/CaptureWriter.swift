import CPcap
import Glibc
import WireFormat

/// Writes a capture file with nanosecond stamps. What was written is in the file at once, so that it can be read while the writer
/// lives and after it was killed.
public final class CaptureWriter {
    /// The file.
    public let path: String
    /// The link layer of all its frames.
    public let linkType: LinkType

    private let handle: OpaquePointer
    private let dumper: OpaquePointer
    private var frame: [UInt8] = []
    private var identification: UInt16 = 0

    /// The largest UDP payload that fits in an IPv4 packet.
    public static let payloadLimit = 65535 - IPv4Header.size - UDPHeader.size

    /// Creates the file `path`, or empties it. `linkType` is what the frames will start with; datagrams are written as IP packets,
    /// on Ethernet with addresses made from the IP addresses.
    public init(path: String, linkType: LinkType = .rawIP) throws(CaptureError) {
        self.path = path
        self.linkType = linkType
        guard
            let handle = pcap_open_dead_with_tstamp_precision(
                linkType.dataLink,
                Int32(PacketReader.frameLimit),
                UInt32(PCAP_TSTAMP_PRECISION_NANO)
            )
        else { throw CaptureError(path: path, reason: "no memory to write it") }
        guard let dumper = pcap_dump_open(handle, path) else {
            let reason = String(cString: pcap_geterr(handle))
            pcap_close(handle)
            throw CaptureError(path: path, reason: reason)
        }
        self.handle = handle
        self.dumper = dumper
        try flush()
    }

    deinit {
        pcap_dump_close(dumper)
        pcap_close(handle)
    }

    /// Writes a UDP datagram as one IP packet, with checksums. `time` is in nanoseconds since 1970-01-01 00:00 UTC.
    public func write(
        _ payload: UnsafeRawBufferPointer,
        from source: Endpoint,
        to destination: Endpoint,
        time: Int64
    ) throws(CaptureError) {
        guard payload.count <= Self.payloadLimit else {
            throw CaptureError(path: path, reason: "a datagram of \(payload.count) bytes does not fit in an IP packet")
        }
        guard source.address.family == destination.address.family else {
            throw CaptureError(path: path, reason: "a datagram from \(source) to \(destination) has no IP version")
        }
        frame.removeAll(keepingCapacity: true)
        if linkType == .ethernet {
            appendHeader(
                EthernetHeader(
                    destination: Self.hardwareAddress(of: destination.address),
                    source: Self.hardwareAddress(of: source.address),
                    type: source.address.family == .ipv4 ? EtherType.ipv4 : EtherType.ipv6
                )
            )
        }
        appendInternetHeader(from: source.address, to: destination.address, payloadCount: UDPHeader.size + payload.count)
        appendUDPHeader(from: source, to: destination, payload: payload)
        frame.append(contentsOf: payload)
        try writeFrame(originalLength: frame.count, time: time)
    }

    /// Writes a frame that was captured elsewhere on the same link layer.
    public func write(_ packet: CapturedPacket) throws(CaptureError) {
        guard packet.linkType == linkType else {
            throw CaptureError(path: path, reason: "a frame of link type \(packet.linkType) does not go into a file of \(linkType)")
        }
        frame.removeAll(keepingCapacity: true)
        frame.append(contentsOf: packet.bytes)
        try writeFrame(originalLength: packet.originalLength, time: packet.time)
    }

    private func writeFrame(originalLength: Int, time: Int64) throws(CaptureError) {
        let (seconds, nanoseconds) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        var header = pcap_pkthdr()
        header.ts = timeval(tv_sec: Int(seconds), tv_usec: Int(nanoseconds))
        header.caplen = UInt32(frame.count)
        header.len = UInt32(originalLength)
        pcap_dump(UnsafeMutableRawPointer(dumper).assumingMemoryBound(to: UInt8.self), &header, frame)
        try flush()
    }

    private func flush() throws(CaptureError) {
        guard pcap_dump_flush(dumper) == 0 else { throw CaptureError(path: path, reason: String(cString: strerror(errno))) }
    }

    // MARK: Headers

    private func appendHeader(_ header: some WireStructure) {
        var header = header
        let start = frame.count
        frame.append(contentsOf: repeatElement(0, count: IPv6Header.size))
        let written = frame.withUnsafeMutableBytes { buffer -> Int in
            var writer = WireWriter(buffer, offset: start, byteOrder: .big)
            // There is room for the longest of the headers.
            do throws(WireError) { try header.visit(&writer) } catch { return start }
            return writer.offset
        }
        frame.removeLast(frame.count - written)
    }

    private func appendInternetHeader(from source: IPAddress, to destination: IPAddress, payloadCount: Int) {
        if let source = source.ipv4Number, let destination = destination.ipv4Number {
            identification &+= 1
            var header = IPv4Header()
            header.totalLength = UInt16(IPv4Header.size + payloadCount)
            header.identification = identification
            header.nextProtocol = IPProtocol.udp
            header.source = source
            header.destination = destination
            let start = frame.count
            appendHeader(header)
            var checksum = InternetChecksum()
            checksum.add(frame[start...])
            header.checksum = checksum.value
            frame.removeLast(frame.count - start)
            appendHeader(header)
        } else if let source = source.ipv6Numbers, let destination = destination.ipv6Numbers {
            var header = IPv6Header()
            header.payloadLength = UInt16(payloadCount)
            header.nextHeader = IPProtocol.udp
            (header.sourceHigh, header.sourceLow) = source
            (header.destinationHigh, header.destinationLow) = destination
            appendHeader(header)
        }
    }

    private func appendUDPHeader(from source: Endpoint, to destination: Endpoint, payload: UnsafeRawBufferPointer) {
        var header = UDPHeader()
        header.sourcePort = source.port
        header.destinationPort = destination.port
        header.length = UInt16(UDPHeader.size + payload.count)
        var checksum = InternetChecksum()
        checksum.add(source.address.networkBytes)
        checksum.add(destination.address.networkBytes)
        checksum.add(
            [0, IPProtocol.udp]
                + [header.length, header.sourcePort, header.destinationPort, header.length].flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        )
        checksum.add(payload)
        // Zero would mean that there is no checksum (RFC 768).
        header.checksum = checksum.value == 0 ? 0xFFFF : checksum.value
        appendHeader(header)
    }

    /// A locally administered address for a host, or the group address of a multicast (RFC 1112 section 6.4, RFC 2464 section 7).
    private static func hardwareAddress(of address: IPAddress) -> InlineArray<6, UInt8> {
        let bytes = address.networkBytes
        let tail = bytes.suffix(4).map { $0 }
        return switch (address.family, bytes[0]) {
        case (.ipv4, 224...239): [0x01, 0x00, 0x5E, tail[1] & 0x7F, tail[2], tail[3]]
        case (.ipv4, _) where tail[3] == 255: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
        case (.ipv6, 0xFF): [0x33, 0x33, tail[0], tail[1], tail[2], tail[3]]
        default: [0x02, 0x00, tail[0], tail[1], tail[2], tail[3]]
        }
    }
}
