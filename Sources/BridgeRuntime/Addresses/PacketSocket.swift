import CLinuxNet

/// Sends and receives whole Ethernet frames of one type on one interface. Needs CAP_NET_RAW.
final class PacketSocket {
    let descriptor: FileDescriptor
    private let interface: NetworkInterface
    private var buffer = [UInt8](repeating: 0, count: 2048)

    init(on interface: NetworkInterface, type: UInt16) throws(SystemCallError) {
        self.interface = interface
        let number = try SystemCallError.check(linuxnet_packet_open(interface.index, type), "open a packet socket on \(interface.name)")
        descriptor = FileDescriptor(owning: number)
    }

    func send(_ frame: [UInt8]) throws(SystemCallError) {
        try SystemCallError.check(
            linuxnet_packet_send(descriptor.number, interface.index, frame, frame.count),
            "send a frame on \(interface.name)"
        )
    }

    /// Calls `body` with each frame that waits, at most `limit` of them; the loop comes back for the rest.
    func receive(limit: Int = 64, _ body: (UnsafeRawBufferPointer) -> Void) {
        for _ in 0..<limit {
            let count = Int(linuxnet_packet_receive(descriptor.number, &buffer, buffer.count))
            guard count > 0 else { return }
            buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }
}
