/// Which recorded daemons cannot be replayed, and which replays differ for a reason that is known. Everything that is not listed here
/// has to be equal.
public enum CmanReplayCatalogue {
    /// What is known about one role of a capture.
    public enum Note: Sendable, Hashable {
        /// What the daemon received is not in the capture, or it was no daemon.
        case notReplayable(String)
        /// The daemon did something that the engine does not copy, or its threads ran in an order that the capture does not tell.
        case differs(String)
    }

    /// The note for the node `life` (`node3`, `node3, 2. life`) of `capture` (`02-join3-k.pcap`), if there is one.
    public static func note(capture: String, life: String) -> Note? {
        let name = String(capture.prefix { $0 != "." })
        return notes["\(name) \(life)"] ?? notes["\(name) *"]
    }

    private static let cut = Note.notReplayable("packets were dropped behind the point of capture")
    private static let stopped = Note.notReplayable("the process was stopped with SIGSTOP for a while")
    private static let foreign = Note.notReplayable("a test program, not the daemon")
    private static let lateTimer = Note.differs("bug B2: the daemon looks at its timers only when something else wakes it")

    private static let notes: [String: Note] = [
        "03-leave-k node2": .differs(
            "threads: the JOINREQ was taken for a stranger's because the STARTTRANS that names its sender was still being handled"
        ),
        "04b-crash-noresponse node1": lateTimer,
        "04c-master-dies node2": stopped,
        "04c-master-dies-k node2": stopped,
        "04c-master-dies node3": lateTimer,
        "04c-master-dies node4": .differs("the daemon looks once a second whether it has waited in JOINACK for long enough"),
        "04d-nominate-k node2": cut,
        "04d-nominate-k node3": cut,
        "04e-crash-while-joining node1": .differs("bug B4: the daemon loses its transition timer after the fourth JOINCONF"),
        "09-loss-k *": cut,
        "10-partition-3-2 *": cut,
        "10-partition-3-2-k *": cut,
        "10b-partition-2-2 *": cut,
        "11d-joinwait node2": stopped,
        "12c-dualhome *": .notReplayable("two networks in one file: which interface a packet came in on is not told"),
        "13a-foreign-aliases alias51": foreign,
        "13a-foreign-aliases alias52": foreign,
        "13a-foreign-aliases-k alias51": foreign,
        "13a-foreign-aliases-k alias52": foreign,
        "13a-foreign-aliases-k node1": .differs(
            "threads: the second of two LEAVEs was handled before the NODEDOWN about the first was sent, so that fewer had to acknowledge it"
        ),
        "13c-hello-srcid0 node2": .notReplayable("a prober sent in this node's name"),
        "13d-stranger-commands node1": .differs("bug B10: the daemon crashes at a RECONFIG of a stranger"),
        "13e-new-address node1": .differs("bug B5: after a failed completion barrier the daemon stays master for ever"),
        "13e-new-address node3, 2. life": lateTimer,
        "13e-new-address-k node1": .differs(
            "bug B6: after a failed completion barrier the daemon goes on counting the node that it gave up, and waits for it"
        ),
        "13e-new-address-k node3, 2. life": .differs("the daemon lost the timer of its retransmissions after the fourth copy"),
    ]
}
