import CaptureSupport
import Captures
import Testing
import TotemWire
import WireFormat

/// Every recorded packet of knet that is not encrypted. What the recordings hold is told by their page, which was written from another
/// decoder's counts.
@Suite struct KnetCaptures {
    static let names = CaptureSupport.captureNames(prefix: "corosync/3.1.7-knet").filter { !$0.contains("aes") }

    @Test func thereAreSome() {
        #expect(Self.names.count == 13)
    }

    @Test(arguments: names)
    func readAndWrittenAgainIsTheSame(_ name: String) throws {
        for datagram in try CaptureSupport.datagrams(of: name) {
            try datagram.payload.withUnsafeBytes { bytes in
                let packet = try KnetPacket(reading: bytes, byteOrder: KnetPacket.byteOrder(of: bytes))
                #expect(try packet.bytes(of: bytes) == datagram.payload, "frame \(datagram.frame)")
                #expect(1...3 ~= packet.node)
            }
        }
    }

    @Test(arguments: names)
    func countsAgreeWithThePage(_ name: String) throws {
        var expected = try Self.page(of: name)
        // A message that is fragmented is counted by its first fragment there, and by the one that completes it here.
        expected["knet-data/mcast", default: 0] += expected.removeValue(forKey: "knet-data/mcast[frag1]") ?? 0
        expected["icmpv6"] = nil
        if expected["knet-data/mcast"] == 0 { expected["knet-data/mcast"] = nil }
        var counts: [String: Int] = [:]
        var defragmenter = KnetDefragmenter()
        for datagram in try CaptureSupport.datagrams(of: name) {
            counts[try kind(of: datagram, &defragmenter), default: 0] += 1
        }
        #expect(counts == expected)
        #expect(defragmenter.abandoned == 0)
    }

    private func kind(of datagram: CapturedDatagram, _ defragmenter: inout KnetDefragmenter) throws -> String {
        try datagram.payload.withUnsafeBytes { bytes in
            let packet = try KnetPacket(reading: bytes)
            guard case .data(let data) = packet.body else {
                if case .ping(let ping) = packet.body {
                    defragmenter.note(ping, from: packet.node, at: datagram.source.address, to: datagram.destination.address)
                }
                return "knet-\(packet.kind.name)"
            }
            let payload = UnsafeRawBufferPointer(rebasing: bytes[data.payload.range])
            let outcome = defragmenter.add(
                data,
                payload,
                from: packet.node,
                at: datagram.source.address,
                to: datagram.destination.address,
                mark: datagram.frame
            )
            switch outcome {
            case .whole: return "knet-data/\(try Self.message(payload))"
            case .complete: return try defragmenter.message.withUnsafeBytes { "knet-data/\(try Self.message($0))" }
            case .incomplete: return "knet-data/fragment(2..n)"
            case .repeated, .repeatedFragment, .invalid: return "\(outcome)"
            }
        }
    }

    /// The message of corosync, by the name that the page has for it. It is read whole, so that a wrong assembly would be noticed.
    private static func message(_ bytes: UnsafeRawBufferPointer) throws -> String {
        let packet = try TotemPacket<Corosync3>(reading: bytes)
        if case .mcast(let mcast) = packet.message, mcast.header.encapsulated == Mcast<Corosync3>.notEncapsulated {
            let payload = UnsafeRawBufferPointer(rebasing: bytes[mcast.payload.range])
            #expect(try ProcessGroupPacket(reading: payload, byteOrder: packet.byteOrder).lengthsMatchData)
        }
        switch packet.message.kind {
        case .token: return "orf_token"
        case .mcast: return "mcast"
        case .mergeDetect: return "merge_detect"
        case .join: return "memb_join"
        case .commitToken: return "commit_token"
        case .holdCancel: return "hold_cancel"
        }
    }

    /// What captures/corosync/README.md says that the capture `name` holds.
    private static func page(of name: String) throws -> [String: Int] {
        let file = name.split(separator: "/").last.map(String.init) ?? name
        let row = try CaptureSupport.text(of: "corosync/README.md").split(separator: "\n").first { $0.hasPrefix("| \(file) |") }
        let columns = try #require(row).split(separator: "|")
        var counts: [String: Int] = [:]
        for entry in columns[columns.count - 2].split(separator: ",") {
            let words = entry.split(separator: " ")
            counts[words.dropLast().joined(separator: " ")] = words.last.flatMap { Int($0) }
        }
        return counts
    }
}
