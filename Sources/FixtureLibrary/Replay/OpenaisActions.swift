import EngineKit

/// What was done during a recording of openais or cman on Totem, by the section of its truth file that reads
/// `# actions (local clock = pcap time, UTC)`, with lines like `10:08:39.509 start node 1`.
struct OpenaisActions {
    /// Something that decides over the life of a daemon; nodes by their numbers.
    enum Action: Hashable {
        case start([UInt32])
        /// Killed at once.
        case kill(UInt32)
        /// Told to stop.
        case stop(UInt32)
        case partition([UInt32])
        case heal
        case loss
        /// The node is none of the daemons that are replayed.
        case stranger(UInt32)
    }

    /// The actions with their times.
    private(set) var actions: [(Instant, Action)] = []

    /// Reads `truth`; `first` is when the first packet was recorded, which tells the day.
    init(truth: String, first: Instant) {
        let day: Int64 = 86_400_000_000_000
        let midnight = first.nanoseconds / day * day
        var isInside = false
        for line in truth.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("# ") { isInside = line.hasPrefix("# actions") }
            guard isInside, let space = line.firstIndex(of: " "), let time = Self.timeOfDay(line[..<space]) else { continue }
            for action in Self.read(line[line.index(after: space)...]) {
                actions.append((Instant(nanoseconds: midnight + time), action))
            }
        }
    }

    /// `10:08:39.509` in nanoseconds.
    private static func timeOfDay(_ word: Substring) -> Int64? {
        let parts = word.split { $0 == ":" || $0 == "." }.compactMap { Int64($0) }
        guard parts.count == 4 else { return nil }
        return (((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + parts[3]) * 1_000_000
    }

    private static func read(_ line: Substring) -> [Action] {
        let numbers = line.split { !$0.isNumber }.compactMap { UInt32($0) }
        // `node2:` and `node 2:` name the node that acts.
        let actor = line.hasPrefix("node") ? numbers.first : nil
        if line.hasPrefix("capture") { return [] }
        if line.hasPrefix("foreign member joins") { return [.stranger(3)] }
        if line.hasPrefix("loss off") || line.hasPrefix("heal") { return line.hasPrefix("heal") ? [.heal] : [] }
        if line.hasPrefix("loss") { return [.loss] }
        if line.hasPrefix("partition") { return [.partition(numbers)] }
        if let actor, line.contains("cman_tool join") { return [.start([actor])] }
        if let actor, line.contains("cman_tool leave") { return [.stop(actor)] }
        if let actor, line.contains("kill -9") { return [.kill(actor)] }
        if line.contains("kill -n oanode"), let target = numbers.last { return [.stop(target)] }
        if line.hasPrefix("kill -9"), let target = numbers.last { return [.kill(target)] }
        if line.hasPrefix("SIGINT"), let target = numbers.last { return [.stop(target)] }
        if line.hasPrefix("stop corosync"), let target = numbers.last { return [.stop(target)] }
        guard line.hasPrefix("start") else { return [] }
        // Numbers of versions stand in front of `on`.
        if let range = line.firstRange(of: " on ") { return [.start(read(numbersIn: line[range.upperBound...]))] }
        return [.start(numbers)]
    }

    private static func read(numbersIn text: Substring) -> [UInt32] {
        text.split { !$0.isNumber }.compactMap { UInt32($0) }
    }
}
