import TotemWire
import WireFormat

/// Where an mcast stands in the stream of process-group packets of its sender, and what it looked like.
struct McastRecord {
    var sequence: UInt32 = 0
    /// The frame that brought it first; 0 when the entry is empty.
    var frame = 0
    var sender: UInt32 = 0
    var digest: UInt64 = 0
    /// Whether its payload is a process-group packet of its own ring; a recovery message is not.
    var isInStream = false
    var destination = Endpoint(IPAddress(ipv4: 0), 0)
}

/// A token that was seen: its frame, who sent it to whom, and its number.
struct LastToken {
    var frame: Int
    var sender: UInt32
    var sequence: UInt32
    var destination: IPAddress?
}

/// The mcasts of one ring that were seen, and its last token.
///
/// They lie in a table indexed by the low bits of the sequence number. It grows while messages of the window fall on each other, so that
/// a ring of which little is seen takes little.
struct RingHistory {
    /// How far back sequence numbers are remembered. Daemons keep 16384; a few hundred are under way at any time.
    static let window: UInt32 = 4096
    /// How many messages of others can lie between two of one sender: far more than any flow control lets through.
    static let adjacencyLimit: UInt32 = 1024

    let ring: RingKey
    /// For the choice of what is forgotten first.
    var lastUse = 0
    /// The last token.
    var lastToken: LastToken?
    private var records = [McastRecord](repeating: McastRecord(), count: 64)
    private(set) var highest: UInt32?

    init(_ ring: RingKey) {
        self.ring = ring
    }

    private func index(of sequence: UInt32) -> Int {
        Int(sequence & UInt32(records.count - 1))
    }

    /// The mcast with this sequence number, when it was seen and not forgotten.
    func record(_ sequence: UInt32) -> McastRecord? {
        let record = records[index(of: sequence)]
        return record.frame > 0 && record.sequence == sequence ? record : nil
    }

    mutating func insert(_ record: McastRecord) {
        while records.count < Self.window {
            let occupant = records[index(of: record.sequence)]
            let distance = Int32(bitPattern: record.sequence &- occupant.sequence).magnitude
            if occupant.frame == 0 || distance == 0 || distance >= Self.window { break }
            grow()
        }
        records[index(of: record.sequence)] = record
        if highest.map({ Int32(bitPattern: record.sequence &- $0) > 0 }) ?? true { highest = record.sequence }
    }

    private mutating func grow() {
        let old = records
        records = [McastRecord](repeating: McastRecord(), count: 2 * old.count)
        for record in old where record.frame > 0 { records[index(of: record.sequence)] = record }
    }

    /// Whether every mcast between two was seen and none of them belongs to the stream of `sender`: then nothing of that stream lies
    /// between them.
    func areAdjacent(_ first: UInt32, _ second: UInt32, in sender: UInt32) -> Bool {
        let gap = second &- first
        guard gap > 0, gap < Self.adjacencyLimit else { return false }
        var sequence = first &+ 1
        while sequence != second {
            guard let record = record(sequence), record.sender != sender || !record.isInStream else { return false }
            sequence &+= 1
        }
        return true
    }
}
