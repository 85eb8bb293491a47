/// Compares how often each message occurs with what an independent program counted.
struct CountCheck {
    /// Frames that carry no message; some of the programs that counted left them out.
    private static let uncounted: Set<String> = ["arp", "fragment", "icmp", "other"]

    let timeline: CaptureTimeline

    func outcome(_ expected: Expectations) -> CheckOutcome {
        guard timeline.packets == expected.packets else { return .failed("\(timeline.packets) packets, not \(expected.packets)") }
        guard !expected.messages.isEmpty else { return .passed("\(expected.packets) packets") }
        for name in Set(expected.messages.keys).union(timeline.messages.keys).sorted() {
            let (count, should) = (timeline.messages[name] ?? 0, expected.messages[name] ?? 0)
            if should == 0, Self.uncounted.contains(name) { continue }
            if count != should { return .failed("\(count) \(name), not \(should)") }
        }
        return .passed("\(expected.packets) packets of \(expected.messages.count) kinds")
    }
}
