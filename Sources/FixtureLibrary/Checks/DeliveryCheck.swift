/// Compares the messages that packets carry with what programs received, in order, by length and content.
struct DeliveryCheck {
    /// What was sent less than that before a program ended, it need not have received, in seconds.
    private static let ending = 0.1

    let timeline: CaptureTimeline
    /// What nodes reported about their members: who was alone at some time.
    let views: [MembershipView]

    func outcome(_ expected: [Reception]) -> CheckOutcome {
        guard expected.contains(where: { !$0.messages.isEmpty }) else { return .skipped("no program received anything") }
        var compared = 0
        var local = 0
        for reception in expected {
            let messages = timeline.messages(for: reception)
            if timeline.missingMessages > 0 {
                // Of what the recording lost nothing can be said; what it holds must be there, in its order.
                if let lost = Self.firstOutOfOrder(messages.map(\.message), in: reception.messages) {
                    return .failed("\(reception.receiver) did not receive \(lost.line) in the order of the packets")
                }
                compared += messages.count
                continue
            }
            switch compare(reception, messages) {
            case .failure(let difference): return .failed("\(reception.receiver), \(difference.text)")
            case .success(let count):
                compared += count
                local += reception.messages.count - count
            }
        }
        var text = "\(compared) messages received by \(expected.count) programs"
        if local > 0 { text += ", \(local) of their own while they were alone" }
        if timeline.missingMessages > 0 { text += "; the capture misses \(timeline.missingMessages) packets of the order" }
        return .passed(text)
    }

    private struct Difference: Error {
        var text: String
    }

    /// How many of the messages that `reception` received the packets carry; all others are its own from a time when it was alone.
    private func compare(_ reception: Reception, _ messages: [DeliveryTimeline.Delivery]) -> Result<Int, Difference> {
        // A processor that is alone delivers its messages to itself, with nothing on the network.
        let wasAlone = views.contains { $0.node == reception.node && $0.members == [reception.node] }
        var rest = messages[...]
        for (index, received) in reception.messages.enumerated() {
            if let next = rest.first, Self.agree(next.message, received) {
                rest = rest.dropFirst()
            } else if !wasAlone || received.sender != reception.node {
                let carried = rest.first.map { "the packets carry \($0.message.line)" } ?? "the packets do not carry it"
                return .failure(Difference(text: "message \(index + 1): received \(received.line), \(carried)"))
            }
        }
        if let more = rest.first, more.at < (reception.until ?? .infinity) - Self.ending {
            return .failure(Difference(text: "received \(reception.messages.count) messages, the packets also carry \(more.message.line)"))
        }
        return .success(messages.count - rest.count)
    }

    /// The first of `messages` that does not come in `received` behind those before it.
    private static func firstOutOfOrder(_ messages: [DeliveredMessage], in received: [DeliveredMessage]) -> DeliveredMessage? {
        var rest = received[...]
        for message in messages {
            guard let place = rest.firstIndex(where: { agree(message, $0) }) else { return message }
            rest = rest[(place + 1)...]
        }
        return nil
    }

    /// Whether both are the same message. A program that listens on several ports does not tell which one a message came to.
    private static func agree(_ carried: DeliveredMessage, _ received: DeliveredMessage) -> Bool {
        var carried = carried
        if received.place == DeliveredMessage.anyPlace { carried.place = DeliveredMessage.anyPlace }
        return carried == received
    }
}
