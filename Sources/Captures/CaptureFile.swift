import WireFormat

/// A UDP datagram of a capture file, with a copy of its payload.
public struct CapturedDatagram: Sendable, Hashable {
    /// Number of the frame that completes it, from 1.
    public var frame: Int
    /// When that frame was recorded, in nanoseconds since 1970-01-01 00:00 UTC.
    public var time: Int64
    /// Who sent it.
    public var source: Endpoint
    /// Whom it was sent to.
    public var destination: Endpoint
    /// What it holds, without the UDP header.
    public var payload: [UInt8]

    /// Makes a datagram.
    public init(frame: Int, time: Int64, source: Endpoint, destination: Endpoint, payload: [UInt8]) {
        self.frame = frame
        self.time = time
        self.source = source
        self.destination = destination
        self.payload = payload
    }
}

/// Whole capture files at once, for tests and replay. Whoever reads large files uses `PacketReader` and `Decapsulator`.
public enum CaptureFile {
    /// All whole UDP datagrams of the file, in the order of the frames that complete them. What the recording cut is left out.
    public static func datagrams(atPath path: String) throws(CaptureError) -> [CapturedDatagram] {
        let reader = try PacketReader(path: path)
        var decapsulator = Decapsulator()
        var result: [CapturedDatagram] = []
        while let packet = try reader.next() {
            let content = decapsulator.decapsulate(packet)
            guard content.kind == .datagram, content.problem == nil, let source = content.sourceEndpoint,
                let destination = content.destinationEndpoint
            else { continue }
            result.append(
                CapturedDatagram(
                    frame: packet.frame,
                    time: packet.time,
                    source: source,
                    destination: destination,
                    payload: decapsulator.withPayload(of: content, in: packet) { Array($0) }
                )
            )
        }
        return result
    }
}
