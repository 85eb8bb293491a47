import WireFormat

/// Puts the fragments of knet's messages together, and tells copies from what is new (reference/totem-wire.md 6.2).
///
/// It stands where it sees the packets of all senders to all receivers, as a recording does: every receiver has its own copy of a
/// message, and a receiver with several links may have several. Memory is bounded whatever comes.
public struct KnetDefragmenter {
    /// What a data packet was.
    public enum Outcome: Sendable, Equatable {
        /// A whole message.
        case whole
        /// The last missing fragment of a message of so many; the message is in `message`.
        case complete(fragments: Int)
        /// A fragment of a message that lacks others.
        case incomplete(received: Int, fragments: Int)
        /// The receiver has the message already, by the packet that was marked so.
        case repeated(mark: Int)
        /// The receiver has this fragment already.
        case repeatedFragment
        /// The fragment's number or size cannot be; receivers drop it.
        case invalid
    }

    private struct Path: Hashable {
        var sender: UInt16
        var receiver: Receiver
    }

    /// A node, when it is known which one has the address.
    private enum Receiver: Hashable {
        case node(UInt16)
        case address(IPAddress)
    }

    private struct Unfinished {
        var path: Path
        var sequence: UInt16
        var fragments: KnetFragments
    }

    /// How many pairs of sender and receiver are known at one time; the one that was silent longest makes room.
    public static let pathLimit = 512
    /// How many unfinished messages a pair may have: as many as a receiver's buffers (KNET_DEFRAG_BUFFERS internals.h:99 of 1.25).
    public static let messageLimit = 32
    /// How many there may be of all pairs, and how many bytes they may hold.
    public static let totalMessageLimit = 256
    public static let byteLimit = 8 << 20
    private static let addressLimit = 4096

    /// Where the window of each pair stands.
    private var indices: [Path: Int] = [:]
    private var windows: [(path: Path, window: KnetReceiveWindow, lastUse: Int)] = []
    private var nodes: [IPAddress: UInt16] = [:]
    /// The one that got its latest fragment longest ago comes first.
    private var unfinished: [Unfinished] = []
    private var bytesHeld = 0
    private var spareBuffers: [[UInt8]] = []
    private var uses = 0

    /// The message that was completed last.
    public private(set) var message: [UInt8] = []

    /// Messages that were given up so far: for want of room, because newer ones overtook them by far, or because their fragments
    /// contradict each other.
    public private(set) var abandoned = 0

    /// Nothing has come.
    public init() {}

    /// Takes the data packet `data` with `payload` that `sender` sent. `mark`, at most 2^32 - 2, is what the caller calls the packet;
    /// copies name it.
    public mutating func add(
        _ data: KnetData,
        _ payload: UnsafeRawBufferPointer,
        from sender: UInt16,
        at source: IPAddress,
        to destination: IPAddress,
        mark: Int
    ) -> Outcome {
        let index = window(from: sender, at: source, to: destination)
        windows[index].window.noteData()
        if let earlier = windows[index].window.lookUp(data.sequence) { return .repeated(mark: Int(earlier)) }
        if data.isFragment {
            guard 1...data.fragmentCount ~= data.fragmentSequence, data.fragmentCount < UInt8.max else { return .invalid }
            abandonOvertaken(windows[index].path, by: windows[index].window.highest ?? data.sequence)
            let outcome = addFragment(payload, data, windows[index].path)
            guard case .complete = outcome else { return outcome }
            windows[index].window.deliver(data.sequence, mark: UInt32(truncatingIfNeeded: mark))
            return outcome
        }
        windows[index].window.deliver(data.sequence, mark: UInt32(truncatingIfNeeded: mark))
        return .whole
    }

    /// Takes the ping that `sender` sent: it may say that the sender began anew.
    public mutating func note(_ ping: KnetPing, from sender: UInt16, at source: IPAddress, to destination: IPAddress) {
        let index = window(from: sender, at: source, to: destination)
        if windows[index].window.note(ping) { abandonAll(windows[index].path) }
    }

    // MARK: pairs of sender and receiver

    /// The window of a pair. A node with several links has several addresses, which are learned from what it sends.
    private mutating func window(from sender: UInt16, at source: IPAddress, to destination: IPAddress) -> Int {
        if nodes[source] != sender {
            if nodes.count >= Self.addressLimit { nodes.removeAll(keepingCapacity: true) }
            nodes[source] = sender
        }
        let path = Path(sender: sender, receiver: nodes[destination].map { .node($0) } ?? .address(destination))
        uses += 1
        let index = indices[path] ?? begin(path)
        windows[index].lastUse = uses
        return index
    }

    private mutating func begin(_ path: Path) -> Int {
        guard windows.count >= Self.pathLimit, let oldest = windows.indices.min(by: { windows[$0].lastUse < windows[$1].lastUse }) else {
            windows.append((path, KnetReceiveWindow(), uses))
            indices[path] = windows.count - 1
            return windows.count - 1
        }
        abandonAll(windows[oldest].path)
        indices[windows[oldest].path] = nil
        indices[path] = oldest
        windows[oldest].path = path
        windows[oldest].window.reset()
        return oldest
    }

    // MARK: fragments

    private mutating func addFragment(_ fragment: UnsafeRawBufferPointer, _ data: KnetData, _ path: Path) -> Outcome {
        var entry = take(data.sequence, path) ?? Unfinished(path: path, sequence: data.sequence, fragments: begin(data))
        let count = Int(data.fragmentCount)
        let isOfOneMessage = entry.fragments.count == count
        switch isOfOneMessage ? entry.fragments.add(fragment, sequence: Int(data.fragmentSequence)) : .contradictory {
        case .complete:
            entry.fragments.exchange(&message)
            keepBuffer(of: &entry)
            return .complete(fragments: count)
        case .contradictory:
            keepBuffer(of: &entry)
            abandoned += 1
            return .invalid
        case .repeated:
            put(entry)
            return .repeatedFragment
        case .stored:
            let received = entry.fragments.received
            put(entry)
            makeRoom(path)
            return .incomplete(received: received, fragments: count)
        }
    }

    private mutating func begin(_ data: KnetData) -> KnetFragments {
        KnetFragments(count: Int(data.fragmentCount), buffer: spareBuffers.popLast() ?? [])
    }

    private mutating func take(_ sequence: UInt16, _ path: Path) -> Unfinished? {
        guard let index = unfinished.firstIndex(where: { $0.sequence == sequence && $0.path == path }) else { return nil }
        bytesHeld -= unfinished[index].fragments.bytesHeld
        return unfinished.remove(at: index)
    }

    private mutating func put(_ entry: consuming Unfinished) {
        bytesHeld += entry.fragments.bytesHeld
        unfinished.append(entry)
    }

    private mutating func makeRoom(_ path: Path) {
        if unfinished.count(where: { $0.path == path }) > Self.messageLimit, let index = unfinished.firstIndex(where: { $0.path == path }) {
            abandon(index)
        }
        while unfinished.count > Self.totalMessageLimit || bytesHeld > Self.byteLimit { abandon(0) }
    }

    /// What newer messages have overtaken by more than a receiver has buffers, it reclaims (_reclaim_old_defrag_bufs host.c@kn).
    private mutating func abandonOvertaken(_ path: Path, by highest: UInt16) {
        for index in unfinished.indices.reversed() where unfinished[index].path == path {
            if highest &- unfinished[index].sequence > UInt16(Self.messageLimit) { abandon(index) }
        }
    }

    private mutating func abandonAll(_ path: Path) {
        for index in unfinished.indices.reversed() where unfinished[index].path == path { abandon(index) }
    }

    private mutating func abandon(_ index: Int) {
        var entry = unfinished.remove(at: index)
        bytesHeld -= entry.fragments.bytesHeld
        keepBuffer(of: &entry)
        abandoned += 1
    }

    private mutating func keepBuffer(of entry: inout Unfinished) {
        guard spareBuffers.count < 8 else { return }
        var buffer: [UInt8] = []
        entry.fragments.exchange(&buffer)
        spareBuffers.append(buffer)
    }
}
