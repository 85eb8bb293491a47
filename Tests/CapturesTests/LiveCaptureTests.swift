import Captures
import Glibc
import Testing
import WireFormat

/// Captures on the loopback interface.
@Suite(.enabled(if: geteuid() == 0, "capturing needs root"), .timeLimit(.minutes(1)))
struct LiveCaptureTests {
    /// A UDP socket that sends to itself.
    struct Loop: ~Copyable {
        let descriptor: Int32
        let port: UInt16

        init() throws {
            let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let code = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
                        && connect(descriptor, address, length) == 0
                }
            }
            try #require(code)
            self.descriptor = descriptor
            port = UInt16(bigEndian: address.sin_port)
        }

        deinit { close(descriptor) }

        func send(_ bytes: [UInt8]) { #expect(Glibc.send(descriptor, bytes, bytes.count, 0) == bytes.count) }
    }

    static func capture(_ filter: String, snapLength: Int = 0) throws -> LiveCapture {
        var options = LiveCapture.Options()
        options.filter = CaptureFilter(filter)
        options.snapLength = snapLength
        return try LiveCapture(interface: "lo", options: options, stop: StopSignals())
    }

    /// Packets come as they are sent; before waiting the capture says so; a signal ends it, and does not end the program.
    @Test func packetsIdleAndSignal() throws {
        let loop = try Loop()
        let capture = try Self.capture("udp port \(loop.port)")
        loop.send([1, 2, 3])
        loop.send([4])
        var decapsulator = Decapsulator()
        var payloads: [[UInt8]] = []
        var wasIdle = false
        while payloads.count < 2 || !wasIdle {
            switch try capture.receive() {
            case .packet(let packet):
                let content = decapsulator.decapsulate(packet)
                #expect(content.sourcePort == loop.port)
                #expect(packet.frame == payloads.count + 1)
                #expect(packet.interface == 0)
                #expect(abs(packet.time / 1_000_000_000 - Int64(time(nil))) < 60)
                payloads.append(decapsulator.withPayload(of: content, in: packet) { Array($0) })
            case .idle: wasIdle = payloads.count == 2
            case .end: Issue.record("it ended by itself")
            }
        }
        #expect(payloads == [[1, 2, 3], [4]])
        #expect(capture.interfaces.map(\.name) == ["lo"])
        #expect(capture.counters.received >= 2)
        pthread_kill(pthread_self(), SIGTERM)
        #expect(try capture.next() == nil)
    }

    /// Fragments are taken by the filter of the cluster's traffic, whatever their port.
    @Test func fragments() throws {
        let loop = try Loop()
        let capture = try Self.capture("host 127.0.0.1 and ip[6:2] & 0x3fff != 0 or udp port \(loop.port)")
        let payload = [UInt8](repeating: 7, count: 65_507)
        loop.send(payload)
        var decapsulator = Decapsulator()
        while let packet = try capture.next() {
            let content = decapsulator.decapsulate(packet)
            guard content.kind == .datagram, content.sourcePort == loop.port else { continue }
            #expect(decapsulator.withPayload(of: content, in: packet) { Array($0) } == payload)
            return
        }
    }

    @Test func snapLength() throws {
        let loop = try Loop()
        let capture = try Self.capture("udp port \(loop.port)", snapLength: 60)
        loop.send([UInt8](repeating: 7, count: 500))
        let packet = try #require(try capture.next())
        #expect(packet.bytes.count == 60)
        #expect(packet.originalLength == 542)
    }

    @Test func whatCannotBeCaptured() {
        let interface = #expect(throws: CaptureError.self) { try LiveCapture(interface: "nosuch0", stop: StopSignals()) }
        #expect(interface?.description == "nosuch0: there is no such interface")
        let filter = #expect(throws: CaptureError.self) { try Self.capture("no filter at all") }
        #expect(filter?.description.hasPrefix("lo: the capture filter is wrong: ") == true)
    }
}
