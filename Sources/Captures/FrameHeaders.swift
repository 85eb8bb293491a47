import WireFormat

/// Receives the fields of the headers around a datagram, protocol by protocol.
public protocol HeaderSink: FieldSink {
    /// The fields of `layer` begin.
    mutating func beginHeader(_ layer: FrameProtocol, at offset: Int)
    /// The fields of the innermost header end before `offset`.
    mutating func endHeader(at offset: Int)
}

/// Shows every field of the headers that `Decapsulator` goes over, for listings that show the whole frame. The places are those in the
/// frame.
public struct FrameHeaders<Sink: HeaderSink> {
    private let packet: CapturedPacket
    private var offset = 0
    private var sink: Sink

    /// Reports the headers of `packet`, of which `content` tells the protocols, to `sink`. Headers that are cut are shown as far as they go.
    public static func dissect(_ packet: CapturedPacket, _ content: Decapsulation, into sink: Sink) {
        var headers = FrameHeaders(packet: packet, sink: sink)
        for layer in content.protocols {
            guard headers.dissect(layer) else { return }
        }
    }

    private init(packet: CapturedPacket, sink: Sink) {
        self.packet = packet
        self.sink = sink
    }

    /// Whether another header can follow.
    private mutating func dissect(_ layer: FrameProtocol) -> Bool {
        switch layer {
        case .ethernet: return show(EthernetHeader(), layer) != nil
        case .vlan: return show(VLANTag(), layer) != nil
        case .linuxCooked:
            return packet.linkType == .linuxCooked2 ? show(LinuxCookedHeader2(), layer) != nil : show(LinuxCookedHeader(), layer) != nil
        case .loopback:
            offset += 4
            return offset <= packet.bytes.count
        case .raw: return true
        case .ipv4:
            let start = offset
            guard let header = show(IPv4Header(), layer), header.length >= IPv4Header.size else { return false }
            offset = start + header.length
            return offset <= packet.bytes.count && header.fragmentOffset == 0
        case .ipv6: return dissectIPv6()
        case .udp: return show(UDPHeader(), layer) != nil
        case .tcp: return show(TCPHeader(), layer) != nil
        default: return false
        }
    }

    private mutating func dissectIPv6() -> Bool {
        guard let header = show(IPv6Header(), .ipv6) else { return false }
        var next = header.nextHeader
        while IPProtocol.isExtension(next) {
            let start = offset
            guard let header = show(IPv6ExtensionHeader(), .ipv6) else { return false }
            if next == IPProtocol.fragment {
                guard header.fragmentOffset == 0 else { return false }
            } else {
                offset = start + header.size(of: next)
                guard offset <= packet.bytes.count else { return false }
            }
            next = header.nextHeader
        }
        return true
    }

    /// Shows one header at the current place and goes behind it; nil when the frame ends inside it.
    private mutating func show<Header: WireStructure>(_ empty: Header, _ layer: FrameProtocol) -> Header? {
        var header = empty
        sink.beginHeader(layer, at: offset)
        var dissector = WireDissector(packet.bytes, offset: offset, byteOrder: .big, sink: sink)
        var isWhole = true
        do throws(WireError) { try header.visit(&dissector) } catch { isWhole = false }
        sink = dissector.sink
        offset = dissector.offset
        sink.endHeader(at: offset)
        return isWhole ? header : nil
    }
}

/// Tells the layouts of the headers, for lists of what can be shown.
public enum FrameHeaderLayouts {
    /// Calls `body` for every header with a describer that starts inside the protocol `layer`.
    public static func describe<Sink: LayoutSink>(_ sink: Sink, _ body: (FrameProtocol, WireDescriber<Sink>) -> Void) {
        func show<Header: WireStructure>(_ empty: Header, _ layer: FrameProtocol) {
            var header = empty
            var describer = WireDescriber(sink)
            do throws(WireError) {
                try header.visit(&describer)
                body(layer, describer)
            } catch {
                // A describer reads nothing, so that no header can fail.
            }
        }
        show(EthernetHeader(), .ethernet)
        show(VLANTag(), .vlan)
        show(LinuxCookedHeader(), .linuxCooked)
        show(LinuxCookedHeader2(), .linuxCooked)
        show(IPv4Header(), .ipv4)
        show(IPv6Header(), .ipv6)
        show(IPv6ExtensionHeader(), .ipv6)
        show(UDPHeader(), .udp)
        show(TCPHeader(), .tcp)
    }
}
