/// Compares how nodes went with what the packets show of it.
struct DepartureCheck {
    /// How long a daemon takes to say goodbye after it was told to, in seconds.
    private static let goodbye = 5.0
    /// What a killed daemon sent may be recorded so much later than the action was written down.
    private static let latency = 0.5

    let timeline: CaptureTimeline

    func outcome(_ expected: [Departure]) -> CheckOutcome {
        guard !expected.isEmpty else { return .skipped("nobody went") }
        for departure in expected {
            if let reason = difference(departure) {
                let text = "node \(departure.node) was \(departure.manner.rawValue) at \(yamlSeconds(departure.at)) s"
                return .failed("\(text), but \(reason)")
            }
        }
        return .passed("\(expected.count) nodes went")
    }

    /// What contradicts `departure`; nil when nothing does.
    private func difference(_ departure: Departure) -> String? {
        let window = (departure.at - Self.latency)...(departure.at + Self.goodbye)
        let cman = (timeline.cman.leaves + timeline.totem.cmanLeaves).first { $0.node == departure.node && window.contains($0.at) }
        let totem = timeline.totemLeaves.first { $0.node == departure.node && window.contains($0.at) }
        switch departure.manner {
        case .killed:
            if cman != nil || totem != nil { return "it said that it leaves" }
            return nextSending(of: departure.node, in: (departure.at + Self.latency)...(departure.at + 1)).map {
                "it sent a packet at \(yamlSeconds($0)) s"
            }
        case .left, .removed:
            if let cman {
                let isRemoval = cman.reason & 0xF == 3
                if isRemoval != (departure.manner == .removed) { return "its LEAVE has reason \(cman.reason)" }
                return nil
            }
            // openais 0.80 and 2005 have no LEAVE of their own; a node that was alone has nobody to tell.
            let saysGoodbye = timeline.dialects.keys.contains {
                $0.hasPrefix("cman") || ["corosync-1", "corosync-2", "corosync-3"].contains($0)
            }
            if saysGoodbye, totem == nil { return "the packets hold no LEAVE of it" }
            return nil
        }
    }

    private func nextSending(of node: UInt32, in window: ClosedRange<Double>) -> Double? {
        for address in timeline.addresses[node] ?? [] {
            if let time = timeline.sendings[address]?.first(where: { window.contains($0) }) { return time }
        }
        return nil
    }
}
