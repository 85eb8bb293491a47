/// The packets of several capture files in the order of their times, numbered anew.
///
/// Packets of one time keep the order of the files, and the packets of one file keep theirs: a packet that is older than the one before
/// it in its file comes right behind that one. So one packet of each file is looked at ahead, however long the files are.
public final class MergedPackets: PacketSource {
    /// A packet that waits for its turn.
    private struct Head {
        var packet: CapturedPacket
        var source: Int

        /// Whether it comes before `other`.
        func precedes(_ other: Head) -> Bool {
            (packet.time, source) < (other.packet.time, other.source)
        }
    }

    private let sources: [any PacketSource]
    /// A heap: every head precedes those at twice its place and one or two more.
    private var heads: [Head] = []
    /// The source of the packet that was handed out last, whose bytes are valid until the source is asked again.
    private var last: Int?
    private var frame = 0
    private var hasBegun = false
    /// The interfaces of all sources, and for every source where each of its interfaces stands in them.
    public private(set) var interfaces: [CaptureInterface] = []
    private var indexOfInterface: [[Int]]

    /// The packets of `sources`, each of which is one input.
    public init(_ sources: [any PacketSource]) {
        self.sources = sources
        indexOfInterface = sources.map { _ in [] }
    }

    public var inputs: [String] { sources.map { $0.inputs.first ?? "" } }

    public func receive() throws(CaptureError) -> PacketArrival {
        if !hasBegun {
            hasBegun = true
            for index in sources.indices { try refill(from: index) }
        }
        if let last {
            self.last = nil
            try refill(from: last)
        }
        guard let head = heads.first else { return .end }
        removeFirst()
        last = head.source
        frame += 1
        var packet = head.packet
        packet.frame = frame
        packet.input = head.source
        packet.interface = packet.interface.map { interface($0, of: head.source) }
        return .packet(packet)
    }

    private func refill(from source: Int) throws(CaptureError) {
        guard let packet = try sources[source].next() else { return }
        heads.append(Head(packet: packet, source: source))
        var place = heads.count - 1
        while place > 0, heads[place].precedes(heads[(place - 1) / 2]) {
            heads.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private func removeFirst() {
        heads.swapAt(0, heads.count - 1)
        heads.removeLast()
        var place = 0
        while true {
            var first = place
            for child in [2 * place + 1, 2 * place + 2] where child < heads.count && heads[child].precedes(heads[first]) { first = child }
            guard first != place else { return }
            heads.swapAt(place, first)
            place = first
        }
    }

    private func interface(_ number: Int, of source: Int) -> Int {
        while indexOfInterface[source].count <= number {
            indexOfInterface[source].append(interfaces.count)
            interfaces.append(sources[source].interfaces[indexOfInterface[source].count - 1])
        }
        return indexOfInterface[source][number]
    }
}

extension CaptureFile {
    /// Writes the frames of all `paths` into the file `output`, merged by time. All files must have one link layer.
    public static func merge(_ paths: [String], into output: String) throws(CaptureError) {
        var readers: [any PacketSource] = []
        for path in paths { readers.append(try PacketReader(path: path)) }
        guard let linkType = readers.first?.interfaces.first?.linkType else {
            throw CaptureError(path: output, reason: "there are no captures to merge")
        }
        let writer = try CaptureWriter(path: output, linkType: linkType)
        let merged = MergedPackets(readers)
        while let packet = try merged.next() { try writer.write(packet) }
    }
}
