import Testing
import TotemWire
import WireFormat

@Suite struct KnetTrailingTests {
    /// Found by fuzzing: what follows a ping was not kept. Made from the layout; no packet of the recordings has anything there.
    @Test func bytesBehindAPingAreKept() throws {
        let ping: [UInt8] = [1, 0x81, 0, 2, 0, 0, 0] + [UInt8](repeating: 7, count: 16) + [0, 9, 1]
        for bytes in [ping, ping + [1, 2, 3]] {
            let written = try bytes.withUnsafeBytes { try KnetPacket(reading: $0).bytes(of: $0) }
            #expect(written == bytes)
        }
    }
}
