import TotemWire
import WireFormat

/// Where an mcast stands in the stream of process-group packets of its sender, and what it looked like.
struct McastRecord {
    var sequence: UInt32 = 0
    /// The frame that brought it first; 0 when the entry is empty.
    var frame = 0
    var sender: UInt32 = 0
    var digest = 0
    /// Whether its payload is a process-group packet of its own ring; a recovery message is not.
    var isInStream = false
    var destination = Endpoint(IPAddress(ipv4: 0), 0)
}

/// The mcasts of one ring that were seen, and its last token.
struct RingHistory {
    /// How far back sequence numbers are remembered; the daemons' own window is 16384 messages, of which a few hundred are in use.
    static let window: UInt32 = 4096

    let ring: RingID
    /// For the choice of what is forgotten first.
    var lastUse = 0
    private var records: [McastRecord]
    private(set) var highest: UInt32?

    /// The last token: its frame, who sent it, and its number.
    var lastToken: (frame: Int, sender: UInt32, sequence: UInt32)?

    init(_ ring: RingID) {
        self.ring = ring
        records = []
    }

    /// The mcast with this sequence number, when it was seen and not forgotten.
    func record(_ sequence: UInt32) -> McastRecord? {
        let index = Int(sequence % Self.window)
        guard index < records.count else { return nil }
        let record = records[index]
        return record.frame > 0 && record.sequence == sequence ? record : nil
    }

    mutating func insert(_ record: McastRecord) {
        let index = Int(record.sequence % Self.window)
        if index >= records.count {
            records.append(contentsOf: repeatElement(McastRecord(), count: min(Int(Self.window), max(64, 2 * index)) + 1 - records.count))
        }
        records[index] = record
        if highest.map({ Int32(bitPattern: record.sequence &- $0) > 0 }) ?? true { highest = record.sequence }
    }

    /// Whether every mcast between two was seen and none of them belongs to the stream of `sender`: then nothing of that stream lies
    /// between them.
    func areAdjacent(_ first: UInt32, _ second: UInt32, in sender: UInt32) -> Bool {
        let gap = second &- first
        guard gap > 0, gap < Self.window else { return false }
        var sequence = first &+ 1
        while sequence != second {
            guard let record = record(sequence), record.sender != sender || !record.isInStream else { return false }
            sequence &+= 1
        }
        return true
    }
}
