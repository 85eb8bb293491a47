/// Which data packets of one sender have come already, by sequence number, as a receiver keeps it (reference/totem-wire.md 6.2;
/// _seq_num_lookup host.c:618@kn, process_ping_v1 onwire_v1.c:64@kn).
struct KnetReceiveWindow {
    /// KNET_CBUFFER_SIZE.
    static let size = 4096

    /// The highest number so far; nil before the first packet.
    private(set) var highest: UInt16?
    /// The caller's mark of the packet that delivered each number, one higher; 0 for none.
    private var marks = [UInt32](repeating: 0, count: size)
    private var hasDataSincePing = false
    private var lastUntimed: UInt16?
    private var lastTimed: UInt16?

    /// Moves the window so that `sequence` is in it, and says what delivered it before; nil when nothing did.
    mutating func lookUp(_ sequence: UInt16) -> UInt32? {
        guard let highest else {
            self.highest = sequence
            return nil
        }
        let ahead = Int(Int16(bitPattern: sequence &- highest))
        if ahead <= 0, ahead > -Self.size {
            let mark = marks[Int(sequence) % Self.size]
            return mark == 0 ? nil : mark - 1
        }
        if ahead > 0, ahead < Self.size {
            for step in 1...ahead { marks[(Int(highest) + step) % Self.size] = 0 }
        } else {
            // So far away that it is another numbering: the sender began anew.
            clear()
        }
        self.highest = sequence
        return nil
    }

    /// The packet `sequence` was delivered by what the caller calls `mark`.
    mutating func deliver(_ sequence: UInt16, mark: UInt32) {
        marks[Int(sequence) % Self.size] = mark &+ 1
    }

    /// A data packet came, whatever became of it.
    mutating func noteData() {
        hasDataSincePing = true
    }

    /// A ping came; says whether the sender began anew, so that what it sent before is of no use any more.
    mutating func note(_ ping: KnetPing) -> Bool {
        if ping.timed != 0 {
            // Pings come over all links; the first one counts.
            guard ping.sequence != lastTimed else { return false }
            lastTimed = ping.sequence
            guard ping.sequence == 0 else { return false }
            clear()
            highest = nil
            return true
        }
        var beginsAnew = false
        if ping.sequence != lastUntimed {
            lastUntimed = ping.sequence
            beginsAnew = !hasDataSincePing
            hasDataSincePing = false
        }
        if beginsAnew { clear() }
        _ = lookUp(ping.sequence)
        return beginsAnew
    }

    /// Forgets everything.
    mutating func reset() {
        clear()
        highest = nil
        hasDataSincePing = false
        lastUntimed = nil
        lastTimed = nil
    }

    private mutating func clear() {
        marks.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    }
}
