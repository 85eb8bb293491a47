/// What was sent in a demonstration, and whether the right nodes got it: in order, nothing lost, nothing twice.
struct DemoTraffic {
    /// Broadcasts of each sender, in order.
    private(set) var broadcasts: [Int: [String]] = [:]
    /// Messages to one node.
    private(set) var unicasts: [DemoNode.Message] = []

    /// Node `sender` sends `count` broadcasts.
    mutating func broadcast(_ count: Int, from sender: DemoNode, label: String) {
        sender.send("burst \(count) \(Self.port) all \(label)\(sender.id)")
        broadcasts[sender.id, default: []] += (1...count).map { "\(label)\(sender.id)-\($0)" }
    }

    /// Node `sender` sends a message to one node.
    mutating func unicast(_ text: String, from sender: DemoNode, to target: Int) {
        sender.send("send \(Self.port) \(target) \(text)")
        unicasts.append(DemoNode.Message(source: sender.id, target: target, text: text))
    }

    /// The port that everything goes to.
    static let port = 11

    /// Whether `node` has as many messages as were sent to it; `fault` tells whether they are the right ones.
    func hasReached(_ node: DemoNode) -> Bool {
        let sent = broadcasts.reduce(0) { $0 + ($1.key == node.id ? 0 : $1.value.count) } + unicasts.count { $0.target == node.id }
        return node.messages.count { $0.source != node.id } >= sent
    }

    /// What is wrong with what `node` received; nil when it got everything from each sender's message number `first` on (by sender),
    /// in order, once.
    func fault(of node: DemoNode, from first: [Int: Int] = [:]) -> String? {
        for (sender, sent) in broadcasts.sorted(by: { $0.key < $1.key }) where sender != node.id {
            let received = node.messages.filter { $0.source == sender && $0.target == 0 }.map(\.text)
            let expected = Array(sent[min(first[sender] ?? 0, sent.count)...])
            guard received != expected else { continue }
            let missing = expected.filter { !received.contains($0) }
            let twice = received.count - Set(received).count
            return "\(node.title) has \(received.count) of \(expected.count) messages of node\(sender): \(missing.count) missing"
                + (missing.first.map { " (first \($0))" } ?? "") + ", \(twice) twice"
        }
        for message in node.messages where message.target != 0 && !unicasts.contains(message) {
            return "\(node.title) got \(message.text), which is for node\(message.target)"
        }
        for message in unicasts where message.target == node.id && node.messages.count(where: { $0 == message }) != 1 {
            return "\(node.title) did not get \(message.text) exactly once"
        }
        return nil
    }

    /// How many broadcasts each sender has sent.
    var counts: [Int: Int] { broadcasts.mapValues(\.count) }
}
