import Captures
import EngineKit
import Glibc
import Simulation
import Testing
import TotemWire
import WireFormat

@Suite struct CaptureTests {
    /// What the run sent is in the file, in order and whole, as any reader of captures finds it.
    @Test func aRunCanBeReadAsACapture() throws {
        let path = "/tmp/ringbridge-simulation-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).pcap"
        defer { unlink(path) }
        let scenario = try #require(RingFamilies.all.first)
        let result = try scenario.capture(seed: 1, path: path)
        #expect(result.violations.isEmpty)
        let datagrams = try CaptureFile.datagrams(atPath: path)
        #expect(datagrams.count > 100)
        #expect(zip(datagrams, datagrams.dropFirst()).allSatisfy { $0.time <= $1.time })
        #expect(datagrams.allSatisfy { $0.source.port == RingTransport.port && $0.destination.port == RingTransport.port })
        // With a seed that loses nothing, everything that is sent arrives.
        #expect(datagrams.count == result.deliveries)
    }
}
