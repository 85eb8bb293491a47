import Captures

/// What a packet was read as.
struct ReadPacket: Equatable {
    var time: Int64
    var linkType: LinkType
    var interface: String?
    var bytes: [UInt8]
    var original: Int

    init(_ time: Int64, _ linkType: LinkType, _ interface: String?, _ bytes: [UInt8], original: Int? = nil) {
        self.time = time
        self.linkType = linkType
        self.interface = interface
        self.bytes = bytes
        self.original = original ?? bytes.count
    }

    /// All packets of a source, whose frames are numbered from 1, and the error that ends it.
    static func all(of source: any PacketSource) -> (packets: [ReadPacket], error: CaptureError?) {
        var result: [ReadPacket] = []
        do throws(CaptureError) {
            while let packet = try source.next() {
                guard packet.frame == result.count + 1 else {
                    return (result, CaptureError(path: "", reason: "frame \(packet.frame) follows \(result.count)"))
                }
                result.append(
                    ReadPacket(
                        packet.time,
                        packet.linkType,
                        packet.interface.map { source.interfaces[$0].name },
                        Array(packet.bytes),
                        original: packet.originalLength
                    )
                )
            }
            return (result, nil)
        } catch {
            return (result, error)
        }
    }
}
