/// A line of input to a member (docs/configuration.md, "Line interface").
enum NodeCommand: Equatable {
    /// A cman port or a CPG group.
    enum Channel: Equatable {
        case port(UInt8)
        case group(String)
    }

    /// Send a message to all (0) or to one node, `count` times; with a count above one each carries its number.
    case send(Channel, node: UInt32, payload: [UInt8], count: Int)
    /// Send `count` messages of `size` bytes that begin with a tag and their number.
    case load(Channel, count: Int, size: Int, tag: [UInt8])
    /// Find out how fast messages go round (docs/interop.md, "Measuring").
    case measure(Measurement.Kind, Channel, count: Int, size: Int)
    /// Take what comes for a port or group.
    case listen(Channel)
    /// Stop taking it.
    case close(Channel)
    /// Ask a node whether a program listens on a port.
    case probe(node: UInt32, port: UInt8)
    case members
    case quorum
    case status
    /// Ask a node to leave at once.
    case kill(UInt32)
    /// Leave in order; `removed` says that the node does not come back.
    case leave(removed: Bool)
    /// Join again after a leave.
    case start
    /// Use faulty networks again.
    case reenable
    /// Leave in order, and end.
    case quit

    /// Why a line is no command.
    struct Fault: Error, Equatable {
        var text: String
    }

    /// Reads a line; nil for an empty one and a comment.
    static func parse(_ line: Substring) throws(Fault) -> NodeCommand? {
        var words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: true)[...]
        guard let verb = words.popFirst(), !verb.hasPrefix("#") else { return nil }
        switch (verb, words.count) {
        case ("send", 3): return try message(words, count: 1)
        case ("burst", 3):
            let rest = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: true)
            guard rest.count == 5, let count = Int(rest[1]), (1...1_000_000).contains(count) else {
                throw Fault(text: "usage: burst COUNT PORT|GROUP NODE|all PREFIX")
            }
            return try message(rest[2...], count: count)
        case ("load", 3):
            let rest = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: true)
            guard rest.count == 5, let (count, size) = numbers(rest[2], rest[3]), !rest[4].isEmpty else {
                throw Fault(text: "usage: load PORT|GROUP COUNT SIZE TAG")
            }
            return .load(channel(rest[1]), count: count, size: size, tag: Array(rest[4].utf8))
        case ("measure", 3), ("echo", 3):
            guard let (count, size) = numbers(words[words.startIndex + 1], words[words.startIndex + 2]) else {
                throw Fault(text: "usage: \(verb) PORT|GROUP COUNT SIZE")
            }
            return .measure(verb == "echo" ? .roundTrip : .throughput, channel(words[words.startIndex]), count: count, size: size)
        case ("listen", 1), ("join", 1): return .listen(channel(words[words.startIndex]))
        case ("close", 1): return .close(channel(words[words.startIndex]))
        case ("probe", 2):
            guard let node = UInt32(words[words.startIndex]), let port = UInt8(words[words.startIndex + 1]) else {
                throw Fault(text: "usage: probe NODE PORT")
            }
            return .probe(node: node, port: port)
        case ("members", 0): return .members
        case ("quorum", 0): return .quorum
        case ("status", 0): return .status
        case ("kill", 1):
            guard let node = UInt32(words[words.startIndex]) else { throw Fault(text: "usage: kill NODE") }
            return .kill(node)
        case ("leave", 0): return .leave(removed: false)
        case ("leave", 1) where words.first == "removed": return .leave(removed: true)
        case ("start", 0): return .start
        case ("reenable", 0): return .reenable
        case ("quit", 0): return .quit
        default:
            throw Fault(
                text:
                    "unknown command; known: send burst load measure echo listen join close probe members quorum status kill leave start reenable quit"
            )
        }
    }

    private static func channel(_ word: Substring) -> Channel { UInt8(word).map(Channel.port) ?? .group(String(word)) }

    /// A number of messages and their size in bytes, both within reason.
    private static func numbers(_ count: Substring, _ size: Substring) -> (count: Int, size: Int)? {
        guard let count = Int(count), (1...10_000_000).contains(count), let size = Int(size), (0...1 << 20).contains(size) else {
            return nil
        }
        return (count, size)
    }

    private static func message(_ words: ArraySlice<Substring>, count: Int) throws(Fault) -> NodeCommand {
        let start = words.startIndex
        guard let node = words[start + 1] == "all" ? 0 : UInt32(words[start + 1]) else {
            throw Fault(text: "\(words[start + 1]) is neither a node id nor all")
        }
        guard let payload = MessagePayload.bytes(of: words[start + 2]) else {
            throw Fault(text: "\(words[start + 2]) is no payload: write text, hex:0aff or size:100")
        }
        return .send(channel(words[start]), node: node, payload: payload, count: count)
    }
}
