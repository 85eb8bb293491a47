import Captures
import EngineKit
import WireFormat

/// Writes the datagrams of a run into a capture file, as a machine would have recorded them that sees all of the network before
/// anything is lost: `ringbridge decode` reads it.
public final class SimulationCapture {
    /// When virtual time begins in the capture: 2026-01-01 00:00 UTC, in nanoseconds since 1970.
    public static let epoch: Int64 = 1_767_225_600_000_000_000

    /// What went wrong while writing; nothing more is written then.
    public private(set) var failure: CaptureError?

    private let writer: CaptureWriter

    /// Creates the file `path`, or empties it.
    public init(path: String) throws(CaptureError) {
        writer = try CaptureWriter(path: path)
    }

    /// What `VirtualNetwork.tap` or `Scenario.run` takes.
    public var tap: VirtualNetwork.Tap {
        { [self] time, source, destination, datagram in
            guard failure == nil else { return }
            do throws(CaptureError) {
                try writer.write(datagram, from: source, to: destination, time: Self.epoch + time.nanoseconds)
            } catch {
                failure = error
            }
        }
    }
}

extension Scenario {
    /// Runs `seed` and writes what was sent into the capture file `path`.
    public func capture(seed: UInt64, path: String) throws(CaptureError) -> RunResult {
        let capture = try SimulationCapture(path: path)
        let result = run(seed: seed, script: script(seed: seed), tap: capture.tap)
        if let failure = capture.failure { throw failure }
        return result
    }
}
