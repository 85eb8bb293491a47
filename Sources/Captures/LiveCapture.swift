import CPcap
import Glibc

/// Packets as they pass an interface. It ends when a signal asks for it, or when the interface goes away.
public final class LiveCapture: PacketSource {
    /// How a live capture is set up.
    public struct Options: Sendable {
        /// Which packets are taken.
        public var filter = CaptureFilter.clusterTraffic
        /// How many bytes of a packet are taken at most; 0 takes all.
        public var snapLength = 0
        /// Whether packets for other hosts are taken too.
        public var isPromiscuous = true

        /// The cluster's traffic, whole, whoever it is for.
        public init() {}
    }

    /// What libpcap counted.
    public struct Counters: Sendable, Hashable, CustomStringConvertible {
        /// Packets that the filter let through.
        public var received = 0
        /// Packets that were lost for want of room, because they came faster than they were read.
        public var droppedByKernel = 0
        /// Packets that were lost by the interface.
        public var droppedByInterface = 0

        public var description: String {
            "\(received) packets received by filter, \(droppedByKernel) dropped by kernel, \(droppedByInterface) dropped by interface"
        }
    }

    /// The interface, as the caller named it.
    public let name: String

    private let handle: OpaquePointer
    private let linkType: LinkType
    private let stop: StopSignals
    private var frame = 0
    private var hasSaidIdle = false
    private var hasEnded = false

    /// How long the kernel may hold packets back to hand over several at once, in milliseconds.
    private static let batchTime: Int32 = 50
    /// How often a capture looks for a signal, in milliseconds when no packets come, and in packets when they never cease.
    private static let signalInterval: Int32 = 100
    private static let packetsBetweenSignals = 256
    /// What the kernel keeps while nobody reads, in bytes.
    private static let bufferSize: Int32 = 8 << 20

    /// Starts to capture on the interface `name` until one of `stop` is pending.
    public init(interface name: String, options: Options = Options(), stop: StopSignals) throws(CaptureError) {
        self.name = name
        self.stop = stop
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let handle = pcap_create(name, &message) else {
            throw CaptureError(path: name, reason: Self.text(message))
        }
        do throws(CaptureError) {
            pcap_set_snaplen(handle, options.snapLength > 0 ? Int32(clamping: options.snapLength) : Int32(PacketReader.frameLimit))
            pcap_set_promisc(handle, options.isPromiscuous ? 1 : 0)
            pcap_set_timeout(handle, Self.batchTime)
            pcap_set_buffer_size(handle, Self.bufferSize)
            // Where the interface does not have nanoseconds, libpcap gives microseconds, and says so below.
            pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO)
            let code = pcap_activate(handle)
            // Warnings are positive: the capture runs all the same.
            guard code >= 0 else { throw CaptureError(path: name, reason: Self.reason(code, handle)) }
            try options.filter.install(on: handle, interface: name)
            guard pcap_setnonblock(handle, 1, &message) == 0 else { throw CaptureError(path: name, reason: Self.text(message)) }
        } catch {
            pcap_close(handle)
            throw error
        }
        self.handle = handle
        linkType = LinkType(number: pcap_datalink(handle))
        interfaces = [CaptureInterface(name: name, linkType: linkType, snapLength: Int(pcap_snapshot(handle)))]
    }

    deinit {
        pcap_close(handle)
    }

    public let interfaces: [CaptureInterface]

    public var inputs: [String] { [name] }

    /// What was received and lost so far.
    public var counters: Counters {
        var statistics = pcap_stat()
        guard pcap_stats(handle, &statistics) == 0 else { return Counters() }
        return Counters(
            received: Int(statistics.ps_recv),
            droppedByKernel: Int(statistics.ps_drop),
            droppedByInterface: Int(statistics.ps_ifdrop)
        )
    }

    public func receive() throws(CaptureError) -> PacketArrival {
        while !hasEnded {
            if frame % Self.packetsBetweenSignals == 0, stop.isPending { break }
            var header: UnsafeMutablePointer<pcap_pkthdr>?
            var data: UnsafePointer<UInt8>?
            switch pcap_next_ex(handle, &header, &data) {
            case 1:
                hasSaidIdle = false
                guard let header, let data else { continue }
                return .packet(packet(header.pointee, data))
            case 0:
                guard hasSaidIdle else {
                    hasSaidIdle = true
                    return .idle
                }
                hasEnded = waitForPackets()
            default:
                hasEnded = true
                throw CaptureError(path: name, reason: String(cString: pcap_geterr(handle)))
            }
        }
        hasEnded = true
        return .end
    }

    /// Waits until there may be packets; true when the capture is to end.
    private func waitForPackets() -> Bool {
        var descriptor = pollfd(fd: pcap_get_selectable_fd(handle), events: Int16(POLLIN), revents: 0)
        while !stop.isPending {
            if poll(&descriptor, 1, Self.signalInterval) != 0 { return false }
        }
        return true
    }

    private func packet(_ header: pcap_pkthdr, _ data: UnsafePointer<UInt8>) -> CapturedPacket {
        frame += 1
        let unit: Int64 = pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000
        var packet = CapturedPacket(
            frame: frame,
            // With the precision asked for, the field for microseconds holds nanoseconds (pcap_set_tstamp_precision(3)).
            time: Int64(header.ts.tv_sec) &* 1_000_000_000 &+ Int64(header.ts.tv_usec) &* unit,
            linkType: linkType,
            originalLength: Int(header.len),
            bytes: UnsafeRawBufferPointer(start: data, count: Int(header.caplen))
        )
        packet.interface = 0
        return packet
    }

    private static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func reason(_ code: Int32, _ handle: OpaquePointer) -> String {
        switch code {
        case PCAP_ERROR_NO_SUCH_DEVICE: return "there is no such interface"
        case PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED:
            return "no permission to capture; run as root, or give the program the capability CAP_NET_RAW"
        case PCAP_ERROR_IFACE_NOT_UP: return "the interface is down"
        default:
            let detail = String(cString: pcap_geterr(handle))
            return detail.isEmpty ? String(cString: pcap_statustostr(code)) : detail
        }
    }
}
