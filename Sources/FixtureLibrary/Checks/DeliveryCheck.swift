/// Compares the messages that packets carry with what programs received, in order, by length and content.
struct DeliveryCheck {
    let timeline: CaptureTimeline

    func outcome(_ expected: [Reception]) -> CheckOutcome {
        guard expected.contains(where: { !$0.messages.isEmpty }) else { return .skipped("no program received anything") }
        var compared = 0
        for reception in expected {
            let messages = timeline.messages(for: reception)
            let place = zip(messages, reception.messages).enumerated().first { !Self.agree($0.element.0, $0.element.1) }?.offset
            if let index = place {
                return .failed(
                    "\(reception.receiver), message \(index + 1): received \(reception.messages[index].line), "
                        + "the packets carry \(messages[index].line)"
                )
            }
            if messages.count > reception.messages.count {
                let next = messages[reception.messages.count].line
                return .failed("\(reception.receiver) received \(reception.messages.count) messages, the packets also carry \(next)")
            }
            if messages.count < reception.messages.count {
                let missing = reception.messages[messages.count].line
                return .failed("\(reception.receiver) received \(missing) as message \(messages.count + 1), the packets do not carry it")
            }
            compared += messages.count
        }
        return .passed("\(compared) messages received by \(expected.count) programs")
    }

    /// Whether both are the same message. A program that listens on several ports does not tell which one a message came to.
    private static func agree(_ carried: DeliveredMessage, _ received: DeliveredMessage) -> Bool {
        var carried = carried
        if received.place == DeliveredMessage.anyPlace { carried.place = DeliveredMessage.anyPlace }
        return carried == received
    }
}
