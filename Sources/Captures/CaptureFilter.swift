import CPcap

/// Which packets a live capture takes, in the language of pcap-filter(7).
public struct CaptureFilter: Hashable, Sendable {
    /// The expression.
    public var expression: String
    /// What to take where the link layer does not admit the expression.
    var fallback: String?

    /// A filter of one's own.
    public init(_ expression: String) {
        self.expression = expression
    }

    private init(_ expression: String, fallback: String) {
        self.expression = expression
        self.fallback = fallback
    }

    /// Everything that a cluster sends: legacy cman (port 6809, reference/cman-wire.md 2), Totem and knet (5405 and below and above it by
    /// ring and link, reference/totem-wire.md 2), the lock manager's connections (TCP 21064, reference/cman-wire.md 12); all fragments of
    /// IP datagrams, because only the first one tells its port; each of them without a VLAN tag, with one, and with two.
    public static let clusterTraffic: CaptureFilter = {
        let ports = "udp port 6809 or udp portrange 5404-5421 or tcp port 21064"
        let traffic = "(\(ports) or ip[6:2] & 0x1fff != 0 or ip6 proto 44)"
        // Behind the keyword the rest of the expression speaks of what the tag encloses.
        return CaptureFilter("\(traffic) or (vlan and (\(traffic) or (vlan and \(traffic))))", fallback: traffic)
    }()

    /// Gives the filter to a live capture.
    func install(on handle: OpaquePointer, interface: String) throws(CaptureError) {
        var program = bpf_program()
        var code = pcap_compile(handle, &program, expression, 1, PCAP_NETMASK_UNKNOWN)
        if code != 0, let fallback { code = pcap_compile(handle, &program, fallback, 1, PCAP_NETMASK_UNKNOWN) }
        guard code == 0 else {
            throw CaptureError(path: interface, reason: "the capture filter is wrong: \(String(cString: pcap_geterr(handle)))")
        }
        defer { pcap_freecode(&program) }
        guard pcap_setfilter(handle, &program) == 0 else {
            throw CaptureError(path: interface, reason: String(cString: pcap_geterr(handle)))
        }
    }
}
