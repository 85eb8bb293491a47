import Captures
import Logging
import WireFormat

/// Records the datagrams that this process sends and receives, in a capture file that `ringbridge decode` reads.
final class PacketRecorder {
    /// Which datagrams are recorded.
    enum Direction: String, CaseIterable {
        /// Everything that passes.
        case all
        /// Only what this process sends: the captures of several processes then merge without copies.
        case sent
    }

    private let direction: Direction
    private var writer: CaptureWriter?
    private let logger: Logger

    /// Records into the file `path`, which is emptied.
    init(path: String, direction: Direction, logger: Logger) throws(CaptureError) {
        self.direction = direction
        self.logger = logger
        writer = try CaptureWriter(path: path)
    }

    /// A datagram that is about to be sent.
    func sent(_ datagram: UnsafeRawBufferPointer, from source: Endpoint, to target: Endpoint) {
        record(datagram, source, target)
    }

    /// A datagram that came in on a socket bound to `local`.
    func received(_ datagram: UnsafeRawBufferPointer, from source: Endpoint, at local: Endpoint) {
        if direction == .all { record(datagram, source, local) }
    }

    private func record(_ datagram: UnsafeRawBufferPointer, _ source: Endpoint, _ target: Endpoint) {
        guard let writer else { return }
        do throws(CaptureError) {
            try writer.write(datagram, from: source, to: target, time: WallClock.now())
        } catch {
            // A full disk must not end a member of a cluster.
            logger.error("recording ends: \(error)")
            self.writer = nil
        }
    }
}
