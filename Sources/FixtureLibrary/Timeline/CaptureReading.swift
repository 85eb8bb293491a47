import Captures
import Dissection
import TotemSecurity

/// Reads the captures of a fixture and hands every packet, dissected, to whoever wants it.
public enum CaptureReading {
    /// Dissects the packets of the files `paths`, merged by time, and calls `body` with each. The dissection is filled again for the next
    /// packet.
    public static func forEachPacket(
        of paths: [String],
        keys: [String] = [],
        clusters: [String] = [],
        _ body: (Dissection) throws -> Void
    ) throws {
        let source = MergedPackets(try paths.map { try PacketReader(path: $0) })
        let loaded = try keys.map { try SecurityKeyFile.load(path: $0).key }
        var dissector = PacketDissector(source: source, keys: loaded + clusters.map { SecurityKey(clusterName: $0) })
        let dissection = Dissection()
        while let packet = try source.next() {
            dissector.dissect(packet, into: dissection)
            try body(dissection)
        }
    }

    /// Dissects the packets of `fixture` with its keys.
    public static func forEachPacket(of fixture: Fixture, _ body: (Dissection) throws -> Void) throws {
        try forEachPacket(
            of: fixture.settings.captures.map(fixture.path(of:)),
            keys: fixture.settings.keys.map(fixture.path(of:)),
            clusters: fixture.settings.clusters,
            body
        )
    }
}
