import CaptureSupport
import Captures
import Testing
import TotemWire
import WireFormat

/// The captures of the dialects before corosync 3 whose packets are not encrypted, and what stands in front of every packet.
private struct PlainCapture: CustomTestStringConvertible, Sendable {
    var name: String
    var generation: TotemGeneration
    /// Bytes of security in front of the message.
    var envelope = 0

    var testDescription: String { name }

    static let all: [PlainCapture] = {
        let encrypted = ["secauth", "sober", "nss", "aes256", "sha256"]
        let names = CaptureSupport.captureNames(prefix: "openais/") + CaptureSupport.captureNames(prefix: "corosync/")
        return names.compactMap { name in
            guard !encrypted.contains(where: { name.contains($0) }) else { return nil }
            let file = name.split(separator: "/")[1]
            // Where both generations are in one ring, their packets have the same layouts.
            if file.hasPrefix("wt-") || file.hasPrefix("cman2-") || file.hasPrefix("mixed-") {
                return PlainCapture(name: name, generation: .openais080)
            }
            if file.hasPrefix("cman3-") || file.hasPrefix("flatiron") { return PlainCapture(name: name, generation: .corosync1) }
            if file.hasPrefix("needle") { return PlainCapture(name: name, generation: .corosync2, envelope: 4) }
            return nil
        }
    }()

    /// How many packets there are of each message, by the table of the captures' page, which another program made.
    func recordedCounts() throws -> [TotemMessageKind: Int] {
        let parts = name.split(separator: "/")
        let page = try CaptureSupport.text(of: "\(parts[0])/README.md")
        let line = try #require(page.split(separator: "\n").first { $0.hasPrefix("| \(parts[1]) |") })
        let names: [String: TotemMessageKind] = [
            "orf_token": .token, "mcast": .mcast, "mcast(encaps)": .mcast, "merge_detect": .mergeDetect, "memb_join": .join, "join": .join,
            "commit_token": .commitToken, "hold_cancel": .holdCancel,
        ]
        var counts: [TotemMessageKind: Int] = [:]
        let column = try #require(line.split(separator: "|").first { $0.lowercased().contains("merge_detect ") })
        // Behind `//` stands what the mcasts carry.
        for part in column.split(separator: "/")[0].split(separator: ",") {
            let words = part.lowercased().split(separator: " ")
            guard words.count == 2, let kind = names[String(words[0])], let count = Int(words[1]) else { continue }
            counts[kind, default: 0] += count
        }
        return counts
    }
}

/// Counts packets of a dialect after comparing each with what is written of what was read.
private struct RoundTrip<Dialect: TotemDialect> {
    var kinds: [TotemMessageKind: Int] = [:]
    var trailing = 0

    mutating func take(_ bytes: UnsafeRawBufferPointer, frame: Int) throws {
        let packet = try TotemPacket<Dialect>(reading: bytes)
        #expect(try packet.bytes(of: bytes).elementsEqual(bytes), "frame \(frame)")
        kinds[packet.message.kind, default: 0] += 1
        trailing += packet.trailing.count
        try takePayload(of: packet, in: bytes, frame: frame)
    }

    private mutating func takePayload(of packet: TotemPacket<Dialect>, in bytes: UnsafeRawBufferPointer, frame: Int) throws {
        guard case .mcast(let mcast) = packet.message else { return }
        let payload = UnsafeRawBufferPointer(rebasing: bytes[mcast.payload.range])
        if mcast.header.encapsulated == Mcast<Dialect>.encapsulatedInRecovery {
            let inner = try TotemPacket<Dialect>(reading: payload)
            #expect(try inner.bytes(of: payload).elementsEqual(payload), "frame \(frame)")
            return try takePayload(of: inner, in: payload, frame: frame)
        }
        #expect(mcast.header.encapsulated == Mcast<Dialect>.notEncapsulated, "frame \(frame)")
        let pieces = try ProcessGroupPacket(reading: payload, byteOrder: packet.byteOrder)
        #expect(pieces.lengthsAreSound(in: Dialect.generation), "frame \(frame)")
        #expect(
            try pieces.bytes(byteOrder: packet.byteOrder, payload: payload[pieces.data.range]).elementsEqual(payload),
            "frame \(frame)"
        )
        guard pieces.continuation == 0, let first = pieces.messageLengths.first else { return }
        let message = UnsafeRawBufferPointer(rebasing: payload[pieces.data.start..<pieces.data.start + Int(first)])
        // A piece may be too short for the group header.
        guard let header = try? GroupHeader(reading: message, byteOrder: packet.byteOrder) else { return }
        #expect(header.names.count == 1, "frame \(frame)")
    }
}

private func roundTrip<Dialect: TotemDialect>(_ capture: PlainCapture, _ dialect: Dialect.Type) throws -> RoundTrip<Dialect> {
    var result = RoundTrip<Dialect>()
    for datagram in try CaptureSupport.datagrams(of: capture.name) {
        try datagram.payload.withUnsafeBytes { whole in
            let bytes = UnsafeRawBufferPointer(rebasing: whole[capture.envelope...])
            guard RingTest.identify(bytes) == nil else { return }
            guard dialect.byteOrder(of: bytes) == .little else {
                Issue.record("frame \(datagram.frame) is not of the dialect")
                return
            }
            try result.take(bytes, frame: datagram.frame)
        }
    }
    return result
}

@Suite struct RecordedDialects {
    @Test func allPlainCapturesAreThere() {
        let counts = Dictionary(grouping: PlainCapture.all, by: \.generation).mapValues(\.count)
        #expect(counts == [.openais080: 34, .corosync1: 39, .corosync2: 33])
    }

    @Test(arguments: PlainCapture.all)
    private func everyPacketIsWrittenAsItWasReadAndCountedAsRecorded(_ capture: PlainCapture) throws {
        let kinds: [TotemMessageKind: Int]
        switch capture.generation {
        case .openais080: kinds = try roundTrip(capture, OpenAIS080.self).kinds
        case .corosync1: kinds = try roundTrip(capture, Corosync1.self).kinds
        case .corosync2:
            let result = try roundTrip(capture, Corosync2.self)
            kinds = result.kinds
            #expect(result.trailing == 0)
        case .totem2005, .corosync3: return
        }
        #expect(try capture.recordedCounts() == kinds)
    }

    /// Rings that were cut and healed: the page's program took the tests for encrypted packets.
    @Test(arguments: ["flatiron1.4-udp-rrppassive-cutring0.pcap", "flatiron1.4-udp-rrppassive-ring.ring1.pcap"])
    func ringTestsAreWrittenAsTheyWereRead(_ file: String) throws {
        var kinds: [RingTestKind: Int] = [:]
        for datagram in try CaptureSupport.datagrams(of: "corosync/\(file)") {
            try datagram.payload.withUnsafeBytes { bytes in
                guard let (kind, byteOrder) = RingTest.identify(bytes) else { return }
                let test = try RingTest(reading: bytes, byteOrder: byteOrder)
                #expect(try test.bytes() == datagram.payload, "frame \(datagram.frame)")
                #expect((1...3).contains(test.activator), "frame \(datagram.frame)")
                #expect(test.ringNumber == (file.contains("ring1") ? 1 : 0), "frame \(datagram.frame)")
                kinds[kind, default: 0] += 1
            }
        }
        // Each of the two goes round three nodes once.
        #expect(kinds == [.active: 3, .activate: 3])
    }
}
