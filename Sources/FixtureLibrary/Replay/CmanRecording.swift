import Captures
import CmanWire
import EngineKit
import WireFormat

/// The cman packets of a capture.
public struct CmanRecording: Sendable {
    /// One packet.
    struct Packet: Sendable {
        var frame: Int
        var time: Instant
        var source: Endpoint
        var destination: Endpoint
        var bytes: [UInt8]
        var packet: CmanPacket
    }

    /// Name of the capture.
    public let name: String
    let packets: [Packet]
    /// Addresses that stand for everybody.
    let groups: Set<Endpoint>

    /// The cman packets among `datagrams`; what cannot be read is left out, for the daemons did not act upon it.
    public init(name: String, datagrams: [CapturedDatagram]) {
        self.name = name
        packets = datagrams.compactMap { datagram in
            guard let packet = datagram.payload.withUnsafeBytes({ try? CmanPacket(reading: $0) }) else { return nil }
            return Packet(
                frame: datagram.frame,
                time: Instant(nanoseconds: datagram.time),
                source: datagram.source,
                destination: datagram.destination,
                bytes: datagram.payload,
                packet: packet
            )
        }
        groups = Set(
            packets.filter {
                switch $0.packet.body {
                case .hello, .newCluster, .barrier: true
                default: false
                }
            }.map(\.destination)
        )
    }

    /// Whether the daemons ran with the switch that restores behaviour of the kernel module (captures/cman/README.md).
    public var isKernelLike: Bool { name.contains("-k.") }

    /// The life of one process: what it sent from its first message to its end.
    struct Life: Sendable {
        var address: Endpoint
        /// Positions in `packets` of what it sent.
        var sent: [Int]
    }

    /// The lives in the order in which they begin. A process that starts again counts its messages from 1 again.
    var lives: [Life] {
        var lives: [Life] = []
        for (position, packet) in packets.enumerated() {
            let begins =
                switch packet.packet.body {
                case .newCluster, .joinReq: packet.packet.header.sequence == 1
                default: false
                }
            if let index = lives.lastIndex(where: { $0.address == packet.source }), !begins {
                lives[index].sent.append(position)
            } else if begins {
                lives.append(Life(address: packet.source, sent: [position]))
            }
        }
        return lives
    }
}
