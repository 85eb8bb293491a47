import CaptureSupport
import Captures
import CmanWire
import Dissection
import Testing
import TotemWire
import WireFormat

/// Reading and writing again gives the very same bytes, at every level, for every packet of the captures.
@Suite struct RoundTripTests {
    static func written(_ size: Int, byteOrder: ByteOrder, _ visit: (inout WireWriter) throws -> Void) throws -> [UInt8] {
        var output = [UInt8](repeating: 0xA5, count: size + 64)
        let count = try output.withUnsafeMutableBytes { buffer in
            var writer = WireWriter(buffer, byteOrder: byteOrder)
            try visit(&writer)
            return writer.offset
        }
        return Array(output[..<count])
    }

    @Test(arguments: Supported.cman)
    func cman(name: String) throws {
        for datagram in try CaptureSupport.datagrams(of: name) where datagram.payload.count >= CmanHeader.size {
            try datagram.payload.withUnsafeBytes { bytes in
                var packet = try CmanPacket(reading: bytes)
                let payload = UnsafeRawBufferPointer(rebasing: bytes[packet.payload.range])
                let again = try Self.written(bytes.count, byteOrder: .little) { writer in
                    try packet.visit(&writer)
                    try writer.append(payload)
                }
                #expect(again == datagram.payload, "frame \(datagram.frame)")
            }
        }
    }

    @Test(arguments: Supported.corosync)
    func totem(name: String) throws {
        var groupPackets = 0
        for datagram in try CaptureSupport.datagrams(of: name) {
            try datagram.payload.withUnsafeBytes { bytes in
                let packet = try TotemPacket<Corosync3>(reading: bytes)
                #expect(try packet.bytes(of: bytes) == datagram.payload, "frame \(datagram.frame)")
                guard case .mcast(var mcast) = packet.message else { return }
                var payload = UnsafeRawBufferPointer(rebasing: bytes[mcast.payload.range])
                if mcast.header.encapsulated == Mcast<Corosync3>.encapsulatedInRecovery {
                    let inner = try TotemPacket<Corosync3>(reading: payload)
                    #expect(try inner.bytes(of: payload) == Array(payload), "inside frame \(datagram.frame)")
                    guard case .mcast(let recovered) = inner.message else { return }
                    mcast = recovered
                    payload = UnsafeRawBufferPointer(rebasing: payload[mcast.payload.range])
                }
                var groups = try ProcessGroupPacket(reading: payload, byteOrder: packet.byteOrder)
                let data = UnsafeRawBufferPointer(rebasing: payload[groups.data.range])
                let again = try Self.written(payload.count, byteOrder: packet.byteOrder) { writer in
                    try groups.visit(&writer)
                    try writer.append(data)
                }
                #expect(again == Array(payload), "totempg of frame \(datagram.frame)")
                groupPackets += 1
            }
        }
        #expect(groupPackets > 0 || name.contains("-idle"))
    }

    @Test(arguments: Supported.corosync)
    func groupsAndServices(name: String) throws {
        try FrameSource(name).dissect { dissection in
            for carried in dissection.carries {
                let whole = dissection.tree.withBytes(ofNode: carried.nodes.lowerBound) { Array($0) }
                try whole.withUnsafeBytes { bytes in
                    var header = try GroupHeader(reading: bytes)
                    let content = UnsafeRawBufferPointer(rebasing: bytes[header.message.range])
                    let again = try Self.written(bytes.count, byteOrder: .little) { writer in
                        try header.visit(&writer)
                        try writer.append(content)
                    }
                    #expect(again == whole, "group header in frame \(dissection.frame)")

                    let group = try #require(header.names.first.flatMap { $0.withUnsafeBytes { ServiceGroup(name: $0) } })
                    var message = try ServiceMessage(reading: content, in: group, of: .corosync3, byteOrder: .little)
                    let service = try Self.written(content.count, byteOrder: .little) { writer in
                        try message.visit(&writer)
                        try writer.append(UnsafeRawBufferPointer(rebasing: content[message.rest.range]))
                    }
                    #expect(service == Array(content), "\(carried.message) in frame \(dissection.frame)")
                    #expect(message.trailing.count == 0, "\(carried.message) in frame \(dissection.frame)")
                }
            }
        }
    }
}
