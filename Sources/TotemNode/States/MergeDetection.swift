import EngineKit
import TotemWire

extension TotemNode {
    /// The merge timer ran out: an idle ring makes itself known.
    mutating func sendMergeDetect(into effects: inout Output) {
        guard state == .operational, isRepresentative else { return }
        var detect = MergeDetect<Dialect>()
        detect.header = header(.mergeDetect)
        detect.systemFrom = ownAddress
        detect.ring = ringID
        multicast(&detect, into: &effects)
    }

    /// message_handler_memb_merge_detect (totemsrp.c:4385).
    mutating func receiveMergeDetect(
        _ detect: MergeDetect<Dialect>,
        from sender: UInt32,
        at now: Instant,
        into effects: inout Output
    ) {
        guard detect.ring != ringID else { return }
        hearForeign(sender, at: now, into: &effects)
    }

    /// A processor of another ring is there (reference/totem-engine.md 3, foreign traffic).
    mutating func hearForeign(_ node: UInt32, at now: Instant, into effects: inout Output) {
        switch state {
        case .operational:
            gathering.processors.insert(node)
            enterGather(at: now, into: &effects)
        case .gather:
            guard !gathering.processors.contains(node) else { return }
            gathering.processors.insert(node)
            enterGather(at: now, into: &effects)
        case .idle, .commit, .recovery, .left:
            break
        }
    }
}
