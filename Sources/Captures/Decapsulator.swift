import WireFormat

/// What a frame holds, as `Decapsulator` found it. Payloads are positions, so that nothing is copied.
public struct Decapsulation: Sendable {
    /// What a frame can be.
    public enum Kind: Sendable, Hashable {
        /// A UDP datagram, whole or the last missing fragment of one.
        case datagram
        /// A TCP segment. `TCPStreams` puts the bytes of segments in order.
        case segment
        /// A fragment that completes no datagram.
        case fragment
        /// ICMP or ICMPv6.
        case icmp
        /// ARP.
        case arp
        /// Anything else.
        case other
    }

    /// Where the payload of a datagram or segment lies.
    enum Payload: Sendable {
        case frame(ByteRange)
        case reassembled(ByteRange)
    }

    /// What the frame is.
    public var kind = Kind.other
    /// Its protocols, outermost first.
    public var protocols = ProtocolStack()
    /// The IP address it comes from, if it has one.
    public var source: IPAddress?
    /// The IP address it goes to, if it has one.
    public var destination: IPAddress?
    /// The UDP or TCP port it comes from; zero unless it is a datagram or segment.
    public var sourcePort: UInt16 = 0
    /// The UDP or TCP port it goes to; zero unless it is a datagram or segment.
    public var destinationPort: UInt16 = 0
    /// UDP or TCP payload bytes as the headers tell; the recording may hold fewer. Zero unless it is a datagram or segment.
    public var length = 0
    /// Of a segment: number of its first byte among those that its sender sends, modulo 2³².
    public var sequence: UInt32 = 0
    /// Of a segment: number of the byte that its sender expects next from the other side.
    public var acknowledgement: UInt32 = 0
    /// Of a segment: its control bits.
    public var flags = TCPFlags()
    /// From how many fragments the datagram or segment was put together; 1 when it came whole.
    public var fragments = 1
    /// Unfinished datagrams that were given up when this frame came, because they took too long or for want of room.
    public var abandonedDatagrams = 0
    /// The first thing that is wrong with the frame's headers.
    public var problem: FrameProblem?

    /// What no header was taken off of, when the frame is neither datagram nor segment; by position in the frame.
    public internal(set) var rest = ByteRange()

    var payload = Payload.frame(ByteRange())

    /// Where in the frame the payload starts; nil when it was put together from fragments.
    public var payloadOffset: Int? {
        if case .frame(let range) = payload { range.start } else { nil }
    }

    /// Of a frame that is nothing known.
    public init() {}

    /// Address and port it comes from; nil unless it is a datagram or segment.
    public var sourceEndpoint: Endpoint? { hasPorts ? source.map { Endpoint($0, sourcePort) } : nil }
    /// Address and port it goes to; nil unless it is a datagram or segment.
    public var destinationEndpoint: Endpoint? { hasPorts ? destination.map { Endpoint($0, destinationPort) } : nil }

    private var hasPorts: Bool { kind == .datagram || kind == .segment }
}

/// What can be wrong with the headers of a frame.
public enum FrameProblem: Sendable, Hashable, CustomStringConvertible {
    /// The recording holds only the first bytes of the frame, and what is missing is needed.
    case cut(recorded: Int, original: Int)
    /// A header does not fit in the frame.
    case truncatedHeader(FrameProtocol)
    /// The IP version is neither the one that the link layer announces nor 4 or 6.
    case invalidVersion(UInt8)
    /// A length in a header is too small for the header itself or too large for the frame.
    case invalidLength(FrameProtocol, Int)
    /// Fragments that overlap differ, or do not fit together.
    case contradictoryFragments

    public var description: String {
        switch self {
        case .cut(let recorded, let original): "recorded incompletely: \(recorded) of \(original) bytes of the frame"
        case .truncatedHeader(let layer): "truncated \(layer.name) header"
        case .invalidVersion(let version): "invalid IP version \(version)"
        case .invalidLength(let layer, let length): "invalid \(layer.name) length \(length)"
        case .contradictoryFragments: "IP fragments that contradict each other"
        }
    }
}

/// Takes link layer, IP, UDP and TCP headers off frames and puts IP fragments together. In steady state it allocates nothing.
///
/// Checksums are not verified: packets that a sending host records of itself have unfinished ones.
public struct Decapsulator: Sendable {
    private var reassembler: FragmentReassembler

    /// A decapsulator that has seen no fragments.
    public init() {
        reassembler = FragmentReassembler()
    }

    package init(datagramLimit: Int, byteLimit: Int, timeLimit: Int64) {
        reassembler = FragmentReassembler(datagramLimit: datagramLimit, byteLimit: byteLimit, timeLimit: timeLimit)
    }

    /// Datagrams of which fragments came but not all.
    public var unfinishedDatagrams: Int { reassembler.unfinishedCount }

    /// Takes the headers off `packet`.
    public mutating func decapsulate(_ packet: CapturedPacket) -> Decapsulation {
        var result = Decapsulation()
        decapsulate(packet, into: &result)
        return result
    }

    /// Takes the headers off `packet` and says in `result` what it is, which may be that of another packet.
    @inline(__always)
    public mutating func decapsulate(_ packet: CapturedPacket, into result: inout Decapsulation) {
        if !result.takeWholeDatagram(packet) { result = decapsulateAny(packet) }
    }

    @inline(never)
    private mutating func decapsulateAny(_ packet: CapturedPacket) -> Decapsulation {
        let abandoned = reassembler.abandoned
        var pass = Pass(packet)
        pass.run(&reassembler)
        pass.keepRest()
        pass.result.abandonedDatagrams = reassembler.abandoned - abandoned
        return pass.result
    }

    /// Calls `body` with the payload of the datagram or segment that the last call of `decapsulate` found in `packet`; empty when it found none.
    /// The bytes are valid during the call.
    @inline(__always)
    public func withPayload<Result>(
        of content: Decapsulation,
        in packet: CapturedPacket,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        switch content.payload {
        case .frame(let range):
            return try body(UnsafeRawBufferPointer(rebasing: packet.bytes[range.range]))
        case .reassembled(let range):
            return try reassembler.completed.withUnsafeBytes { bytes in
                try body(UnsafeRawBufferPointer(rebasing: bytes[range.range]))
            }
        }
    }
}

extension Decapsulation {
    /// Becomes that of `packet` when it is what most are: a whole UDP datagram over IPv4 without options over Ethernet without tags. False
    /// when it is anything else, or anything is wrong with it; then nothing has changed.
    @inline(__always)
    fileprivate mutating func takeWholeDatagram(_ packet: CapturedPacket) -> Bool {
        let size = EthernetHeader.size + IPv4Header.size + UDPHeader.size
        guard packet.linkType == .ethernet, packet.bytes.count >= size else { return false }
        var ethernet = EthernetHeader()
        var internet = IPv4Header()
        var udp = UDPHeader()
        // Exactly as many bytes as the three headers have: no header can find too few, and the compiler knows.
        var reader = WireReader(UnsafeRawBufferPointer(start: packet.bytes.baseAddress, count: size), byteOrder: .big)
        do throws(WireError) {
            try ethernet.visit(&reader)
            try internet.visit(&reader)
            try udp.visit(&reader)
        } catch {
            return false
        }
        guard ethernet.type == EtherType.ipv4, internet.versionAndLength == 0x45, internet.nextProtocol == IPProtocol.udp,
            internet.fragmentOffset == 0, !internet.hasMoreFragments, EthernetHeader.size + Int(internet.totalLength) <= packet.bytes.count,
            Int(udp.length) >= UDPHeader.size, IPv4Header.size + Int(udp.length) <= Int(internet.totalLength)
        else { return false }
        self = Decapsulation()
        kind = .datagram
        protocols = .ethernetDatagram
        source = IPAddress(ipv4: internet.source)
        destination = IPAddress(ipv4: internet.destination)
        sourcePort = udp.sourcePort
        destinationPort = udp.destinationPort
        length = Int(udp.length) - UDPHeader.size
        payload = .frame(ByteRange(start: size, count: length))
        return true
    }
}

/// One frame's way through the headers.
private struct Pass {
    let packet: CapturedPacket
    var reader: WireReader
    var result = Decapsulation()
    /// Where the current protocol's bytes end; shorter than the frame where a header says so.
    var end: Int

    init(_ packet: CapturedPacket) {
        self.packet = packet
        reader = WireReader(packet.bytes, byteOrder: .big)
        end = packet.bytes.count
    }

    /// Whether the recording lacks the end of the frame.
    var isCut: Bool { packet.bytes.count < packet.originalLength }

    /// Keeps the first problem: the others follow from it.
    mutating func fail(_ problem: FrameProblem) {
        guard result.problem == nil else { return }
        result.problem = isCut ? .cut(recorded: packet.bytes.count, original: packet.originalLength) : problem
    }

    /// Reads a header; nil when the frame is too short for it.
    mutating func header<Header: WireStructure>(_ layer: FrameProtocol) -> Header? {
        var header = Header()
        do throws(WireError) {
            try header.visit(&reader)
            return header
        } catch {
            fail(.truncatedHeader(layer))
            return nil
        }
    }

    /// Notes what is left of a frame that holds no datagram.
    mutating func keepRest() {
        guard result.kind != .datagram, result.kind != .segment, result.fragments == 1, reader.offset < end else { return }
        result.rest = ByteRange(start: reader.offset, count: end - reader.offset)
    }

    mutating func run(_ reassembler: inout FragmentReassembler) {
        switch packet.linkType {
        case .ethernet:
            result.protocols.append(.ethernet)
            guard let header: EthernetHeader = header(.ethernet) else { return }
            network(header.type, &reassembler)
        case .linuxCooked:
            result.protocols.append(.linuxCooked)
            guard let header: LinuxCookedHeader = header(.linuxCooked) else { return }
            network(header.type, &reassembler)
        case .linuxCooked2:
            result.protocols.append(.linuxCooked)
            guard let header: LinuxCookedHeader2 = header(.linuxCooked) else { return }
            network(header.type, &reassembler)
        case .loopback, .openBSDLoopback:
            result.protocols.append(.loopback)
            guard let header: LoopbackHeader = header(.loopback) else { return }
            if header.isInternet { rawIP(&reassembler) }
        case .rawIP:
            result.protocols.append(.raw)
            rawIP(&reassembler)
        case .unsupported:
            break
        }
    }

    mutating func rawIP(_ reassembler: inout FragmentReassembler) {
        guard reader.remaining > 0 else { return fail(.truncatedHeader(.ipv4)) }
        switch packet.bytes[reader.offset] >> 4 {
        case 4: ipv4(&reassembler)
        case 6: ipv6(&reassembler)
        case let version: fail(.invalidVersion(version))
        }
    }

    mutating func network(_ first: UInt16, _ reassembler: inout FragmentReassembler) {
        var type = first
        while EtherType.isTag(type), !result.protocols.isFull {
            result.protocols.append(.vlan)
            guard let tag: VLANTag = header(.vlan) else { return }
            type = tag.type
        }
        switch type {
        case EtherType.ipv4: ipv4(&reassembler)
        case EtherType.ipv6: ipv6(&reassembler)
        case EtherType.arp:
            result.protocols.append(.arp)
            result.kind = .arp
        default: break
        }
    }

    mutating func ipv4(_ reassembler: inout FragmentReassembler) {
        result.protocols.append(.ipv4)
        let start = reader.offset
        guard let header: IPv4Header = header(.ipv4) else { return }
        guard header.versionAndLength >> 4 == 4 else { return fail(.invalidVersion(header.versionAndLength >> 4)) }
        result.source = IPAddress(ipv4: header.source)
        result.destination = IPAddress(ipv4: header.destination)
        guard header.length >= IPv4Header.size, header.length <= Int(header.totalLength) else {
            return fail(.invalidLength(.ipv4, Int(header.totalLength)))
        }
        let recorded = packet.bytes.count - start
        guard header.length <= recorded else { return fail(.truncatedHeader(.ipv4)) }
        // What is there of a packet that should be longer is shown all the same.
        if Int(header.totalLength) > recorded { fail(.invalidLength(.ipv4, Int(header.totalLength))) }
        // Short Ethernet frames are padded: only what the header counts belongs to the packet.
        end = start + min(Int(header.totalLength), recorded)
        reader = WireReader(packet.bytes, offset: start + header.length, byteOrder: .big)
        let missing = start + Int(header.totalLength) - end
        if header.hasMoreFragments || header.fragmentOffset > 0 {
            fragment(
                of: header.nextProtocol,
                at: header.fragmentOffset,
                isLast: !header.hasMoreFragments,
                identification: UInt32(header.identification),
                missing: missing,
                &reassembler
            )
        } else {
            transport(header.nextProtocol, missing: missing)
        }
    }

    mutating func ipv6(_ reassembler: inout FragmentReassembler) {
        result.protocols.append(.ipv6)
        guard let header: IPv6Header = header(.ipv6) else { return }
        guard header.versionClassFlow >> 28 == 6 else { return fail(.invalidVersion(UInt8(header.versionClassFlow >> 28))) }
        result.source = IPAddress(ipv6High: header.sourceHigh, low: header.sourceLow)
        result.destination = IPAddress(ipv6High: header.destinationHigh, low: header.destinationLow)
        let recorded = reader.remaining
        if Int(header.payloadLength) > recorded { fail(.invalidLength(.ipv6, Int(header.payloadLength))) }
        end = reader.offset + min(Int(header.payloadLength), recorded)
        let missing = Int(header.payloadLength) - (end - reader.offset)
        var next = header.nextHeader
        while true {
            let start = reader.offset
            switch next {
            case _ where next != IPProtocol.fragment && IPProtocol.isExtension(next):
                guard end - start >= 8, let header: IPv6ExtensionHeader = self.header(.ipv6) else { return fail(.truncatedHeader(.ipv6)) }
                let length = header.size(of: next)
                guard length <= end - start else { return fail(.invalidLength(.ipv6, length)) }
                reader = WireReader(packet.bytes, offset: start + length, byteOrder: .big)
                next = header.nextHeader
            case IPProtocol.fragment:
                guard end - start >= 8, let header: IPv6ExtensionHeader = self.header(.ipv6) else { return fail(.truncatedHeader(.ipv6)) }
                next = header.nextHeader
                if header.hasMoreFragments || header.fragmentOffset > 0 {
                    return fragment(
                        of: next,
                        at: header.fragmentOffset,
                        isLast: !header.hasMoreFragments,
                        identification: header.identification,
                        missing: missing,
                        &reassembler
                    )
                }
            default:
                return transport(next, missing: missing)
            }
        }
    }

    /// Takes a fragment of which the recording lacks the last `missing` bytes.
    mutating func fragment(
        of next: UInt8,
        at offset: Int,
        isLast: Bool,
        identification: UInt32,
        missing: Int,
        _ reassembler: inout FragmentReassembler
    ) {
        result.kind = .fragment
        guard let layer = IPProtocol.transport(next), let source = result.source, let destination = result.destination else { return }
        result.protocols.append(layer)
        guard missing == 0 else { return fail(.truncatedHeader(layer)) }
        let outcome = reassembler.insert(
            UnsafeRawBufferPointer(rebasing: packet.bytes[reader.offset..<end]),
            at: offset,
            isLast: isLast,
            key: FragmentReassembler.Key(source: source, destination: destination, next: next, identification: identification),
            time: packet.time
        )
        switch outcome {
        case .incomplete: break
        case .contradictory: result.problem = .contradictoryFragments
        case .complete(let fragments):
            result.fragments = fragments
            reassembler.completed.withUnsafeBytes { bytes in
                reader = WireReader(bytes, byteOrder: .big)
                if layer == .tcp {
                    tcp(count: bytes.count, missing: 0)
                } else {
                    udp(count: bytes.count, missing: 0)
                }
            }
            if case .frame(let range) = result.payload { result.payload = .reassembled(range) }
        }
    }

    mutating func transport(_ next: UInt8, missing: Int) {
        switch next {
        case IPProtocol.udp:
            result.protocols.append(.udp)
            udp(count: end - reader.offset, missing: missing)
        case IPProtocol.tcp:
            result.protocols.append(.tcp)
            tcp(count: end - reader.offset, missing: missing)
        case IPProtocol.icmp:
            result.protocols.append(.icmp)
            result.kind = .icmp
        case IPProtocol.icmp6:
            result.protocols.append(.icmpv6)
            result.kind = .icmp
        default: break
        }
    }

    /// Reads a UDP header; `count` bytes of it and its payload are there, `missing` more were not recorded.
    mutating func udp(count: Int, missing: Int) {
        let start = reader.offset
        result.kind = .other
        guard count >= UDPHeader.size, let header: UDPHeader = header(.udp) else { return fail(.truncatedHeader(.udp)) }
        let length = Int(header.length)
        guard length >= UDPHeader.size else { return fail(.invalidLength(.udp, length)) }
        if length > count + missing { fail(.invalidLength(.udp, length)) }
        result.kind = .datagram
        result.sourcePort = header.sourcePort
        result.destinationPort = header.destinationPort
        result.length = length - UDPHeader.size
        if length > count { fail(.truncatedHeader(.udp)) }
        result.payload = .frame(ByteRange(start: start + UDPHeader.size, count: min(length, count) - UDPHeader.size))
    }

    /// Reads a TCP header; `count` bytes of it and its payload are there, `missing` more were not recorded.
    mutating func tcp(count: Int, missing: Int) {
        let start = reader.offset
        result.kind = .other
        guard count >= TCPHeader.size, let header: TCPHeader = header(.tcp) else { return fail(.truncatedHeader(.tcp)) }
        guard header.length >= TCPHeader.size, header.length <= count + missing else { return fail(.invalidLength(.tcp, header.length)) }
        result.kind = .segment
        result.sourcePort = header.sourcePort
        result.destinationPort = header.destinationPort
        result.sequence = header.sequence
        result.acknowledgement = header.acknowledgement
        result.flags = header.flags
        result.length = count + missing - header.length
        if missing > 0 { fail(.truncatedHeader(.tcp)) }
        let first = min(header.length, count)
        result.payload = .frame(ByteRange(start: start + first, count: count - first))
    }
}
