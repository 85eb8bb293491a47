import CPcap
import Captures
import Testing

/// The filter of live captures, run by libpcap over frames that are built byte by byte.
@Suite struct CaptureFilterTests {
    /// Whether the default filter takes `frame`.
    func takes(_ frame: [UInt8]) throws -> Bool {
        let handle = try #require(pcap_open_dead(DLT_EN10MB, 65535))
        defer { pcap_close(handle) }
        var program = bpf_program()
        try #require(pcap_compile(handle, &program, CaptureFilter.clusterTraffic.expression, 1, PCAP_NETMASK_UNKNOWN) == 0)
        defer { pcap_freecode(&program) }
        var header = pcap_pkthdr()
        header.caplen = UInt32(frame.count)
        header.len = header.caplen
        return pcap_offline_filter(&program, &header, frame) != 0
    }

    static func udp(to port: UInt16) -> [UInt8] { [0x14, 0x1D, UInt8(port >> 8), UInt8(port & 255), 0, 9, 0, 0, 1] }

    /// An IP packet without a tag, with a tag of 802.1Q, and with two, of 802.1ad and 802.1Q.
    static func frames(_ type: [UInt8], _ packet: [UInt8]) -> [[UInt8]] {
        [[], [0x81, 0, 0, 5], [0x88, 0xA8, 0, 5, 0x81, 0, 0, 6]].map { DecapsulatorTests.ethernet + $0 + type + packet }
    }

    @Test(arguments: [6809, 5404, 5405, 5407, 5421] as [UInt16])
    func clusterPorts(port: UInt16) throws {
        let datagram = Self.udp(to: port)
        for frame in Self.frames([8, 0], DecapsulatorTests.ipv4(datagram)) { #expect(try takes(frame)) }
        for frame in Self.frames([0x86, 0xDD], DecapsulatorTests.ipv6(datagram, next: 17)) { #expect(try takes(frame)) }
    }

    @Test func fragmentsThatTellNoPort() throws {
        let last = DecapsulatorTests.ipv4([1, 2, 3], offset: 1480)
        let fragment6 = DecapsulatorTests.ipv6([17, 0, 5, 0xC8, 0, 0, 0, 9, 1, 2, 3], next: 44)
        for frame in Self.frames([8, 0], last) + Self.frames([0x86, 0xDD], fragment6) { #expect(try takes(frame)) }
    }

    @Test func lockManagerConnections() throws {
        let segment: [UInt8] = [0x52, 0x48, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x10, 0, 0, 0, 0, 0, 0]
        for frame in Self.frames([8, 0], DecapsulatorTests.ipv4(segment, next: 6)) { #expect(try takes(frame)) }
    }

    @Test func nothingElse() throws {
        for port: UInt16 in [53, 5403, 5422, 6808] {
            for frame in Self.frames([8, 0], DecapsulatorTests.ipv4(Self.udp(to: port))) { #expect(try !takes(frame)) }
        }
        for frame in Self.frames([8, 6], [UInt8](repeating: 0, count: 28)) { #expect(try !takes(frame)) }
        for frame in Self.frames([8, 0], DecapsulatorTests.ipv4([8, 0, 0, 0], next: 1)) { #expect(try !takes(frame)) }
    }
}
