import CaptureSupport
import Testing
import TotemWire
import WireFormat

/// The bytes of `message`, written again; what is no field is taken from `payload`, from which it was read.
func written(_ message: ServiceMessage, _ payload: [UInt8], _ byteOrder: ByteOrder) throws -> [UInt8] {
    var message = message
    var output = [UInt8](repeating: 0xEE, count: payload.count + 64)
    let count = try output.withUnsafeMutableBytes { buffer in
        var writer = WireWriter(buffer, byteOrder: byteOrder)
        try message.visit(&writer)
        try writer.append(payload[message.rest.range])
        return writer.offset
    }
    return Array(output[..<count])
}

/// Every message that mcasts of the captures carry.
@Suite struct CarriedMessages {
    @Test func allCapturesAreThere() {
        let counts = Dictionary(grouping: TotemRecording.all, by: \.generation).mapValues(\.count)
        #expect(counts == [.totem2005: 8, .openais080: 38, .corosync1: 49, .corosync2: 41, .corosync3: 23])
    }

    @Test(arguments: TotemRecording.all)
    func everyMessageIsKnownAndKeepsItsBytes(_ capture: TotemRecording) throws {
        let messages = try capture.messages()
        for message in messages {
            let read = try #require(try message.read(), "group of frame \(message.frame)")
            let kind = try #require(read.kind, "frame \(message.frame)")
            #expect(kind.generations.contains(capture.generation) || capture.isMixed, "\(kind.name) in frame \(message.frame)")
            #expect(read.trailing.count == 0, "\(kind.name) in frame \(message.frame)")
            #expect(try written(read, message.payload, message.byteOrder) == message.payload, "\(kind.name) in frame \(message.frame)")
        }
        #expect(messages.isEmpty == capture.isSilent)
    }

    /// The captures' page tells how many messages of which service and function there are, counted by another program.
    @Test func countsAreThoseOfThePage() throws {
        let page = try CaptureSupport.text(of: "openais/README.md")
        var compared = 0
        for capture in TotemRecording.all {
            let file = capture.name.split(separator: "/")[1]
            guard let line = page.split(separator: "\n").first(where: { $0.hasPrefix("| \(file) ") }),
                let list = line.split(separator: "|").last(where: { $0.contains("//") })
            else { continue }
            var expected: [String: Int] = [:]
            for part in list.split(separator: "//")[1].split(separator: ",") {
                let words = part.split(separator: " ")
                guard let count = words.last.flatMap({ Int($0) }), !part.contains("(") else { continue }
                expected[words.dropLast().joined(separator: " "), default: 0] += count
            }
            var found: [String: Int] = [:]
            for message in try capture.messages() { found[try Self.nameOnPage(message), default: 0] += 1 }
            // The page counts a message by its first piece, also where the recording lost another one.
            let lost = ["wt-f5586a7-evs-burst.pcap": ["a/EVS fn 0": 1], "wt-f5586a7-loss10.pcap": ["a/CPG fn 3": 9]][String(file)]
            for (name, count) in lost ?? [:] { found[name, default: 0] += count }
            #expect(found == expected, "\(file)")
            compared += 1
        }
        #expect(compared == 38)
    }

    private static func nameOnPage(_ message: CarriedRecord) throws -> String {
        let group = try #require(message.serviceGroup)
        switch group {
        case .services:
            let header = try message.payload.withUnsafeBytes {
                try ServiceHeader(reading: $0, of: message.generation, byteOrder: message.byteOrder)
            }
            let service = try #require(ClusterService(number: header.service, in: message.generation))
            return "a/\(service.name.description.uppercased()) fn \(header.function)"
        case .synchronisation: return "sync/barrier"
        case .syncv2, .ykd: return "group '\(group.name)'"
        case .cman:
            guard case .cman(let kind)? = try message.read()?.kind else { return "CMAN/?" }
            return kind == .data ? "CMAN/data" : "CMAN/" + kind.name.description.dropFirst("cman.".count).uppercased()
        }
    }

    @Test(arguments: [
        "openais/cman2-02a34df25-dirty-qdisk.pcap", "openais/cman2-02a34df25-ports.pcap", "openais/cman3-da8bc8bc-join3.pcap",
        "openais/wt-f5586a7-services.pcap", "openais/wt-f5586a7-foreign-full.pcap", "openais/cman0-06267550e-join3.pcap",
        "corosync/needle2.4-udpu-confver.pcap",
    ])
    func noTruncationCrashesOrLeavesBytesUnread(_ name: String) throws {
        let capture = try #require(TotemRecording.all.first { $0.name == name })
        var seen: Set<ServiceMessageKind> = []
        for message in try capture.messages() {
            let group = try #require(message.serviceGroup)
            let kind = try #require(try message.read()?.kind)
            guard seen.insert(kind).inserted else { continue }
            for count in 0..<message.payload.count {
                for byteOrder in [ByteOrder.little, .big] {
                    let part = Array(message.payload[..<count])
                    part.withUnsafeBytes { bytes in
                        guard let read = try? ServiceMessage(reading: bytes, in: group, of: message.generation, byteOrder: byteOrder) else {
                            return
                        }
                        #expect((try? written(read, part, byteOrder)) == part, "\(kind.name) cut to \(count) bytes")
                    }
                }
            }
        }
        #expect(seen.count > 1)
    }
}

extension TotemRecording {
    /// Whether nobody said anything above totempg: nothing happened, a single node had been there before, or what was tried was refused.
    fileprivate var isSilent: Bool {
        ["-idle", "inquorate-send", "cman0-06267550e-leave-remove", "cman0-06267550e-death"].contains { name.contains($0) }
    }

    /// Whether openais 0.80 and corosync 1 are in one ring.
    var isMixed: Bool { name.contains("mixed-") }
}
