/// What a member of a group was told, in order.
struct DeliveryLog: Sendable {
    /// A message as its receivers tell it.
    struct Message: Hashable, Sendable, CustomStringConvertible {
        var sender: UInt32
        var length: Int
        /// FNV-1a of its content.
        var hash: UInt32

        var description: String { "\(sender):\(length):\(String(hash, radix: 16))" }
    }

    /// One thing that it was told.
    enum Entry: Hashable, Sendable {
        case message(Message)
        /// Nodes that now have a process in the group.
        case view([UInt32])
    }

    var entries: [Entry] = []

    /// The last membership of the group.
    var view: [UInt32] {
        for case .view(let nodes) in entries.reversed() { return nodes }
        return []
    }

    /// The messages from entry `start` on.
    func messages(since start: Int) -> [Message] {
        entries[min(start, entries.count)...].compactMap { entry in
            if case .message(let message) = entry { return message }
            return nil
        }
    }

    /// The membership that stood before entry `start`, and those from there on.
    func views(around start: Int) -> [[UInt32]] {
        var views: [[UInt32]] = [[]]
        for (index, entry) in entries.enumerated() {
            guard case .view(let nodes) = entry else { continue }
            if index < start { views = [nodes] } else { views.append(nodes) }
        }
        return views
    }
}

/// Messages of a load: `TAG-<number>;` and behind it bytes of which each is its place in the message. Written out here, so that the test
/// does not share it with either sender.
struct Load: Sendable {
    var tag: String
    var count: Int
    var size: Int

    /// What receivers must tell of it, in order.
    func messages(of sender: UInt32) -> [DeliveryLog.Message] {
        (1...count).map { number in
            let text = Array("\(tag)-\(number);".utf8)
            var hash: UInt32 = 0x811C_9DC5
            for place in 0..<size {
                let byte = place < text.count ? text[place] : UInt8(truncatingIfNeeded: place)
                hash = (hash ^ UInt32(byte)) &* 0x0100_0193
            }
            return DeliveryLog.Message(sender: sender, length: size, hash: hash)
        }
    }
}
