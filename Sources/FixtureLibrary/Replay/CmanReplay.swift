import CmanNode
import CmanWire
import EngineKit
import WireFormat

/// Our engine in the role of a recorded cman daemon: it is fed what the daemon received at the recorded times, and has to send what the
/// daemon sent.
///
/// A daemon is two threads: one numbers and sends messages, the other acknowledges what comes in. How their packets interleave is chance,
/// so the two are compared as streams of their own, each in its order and in all fields but garbage.
public struct CmanReplay: Sendable {
    /// How the replay of one life ended.
    public enum Outcome: Sendable, Hashable {
        /// Everything is equal: so many messages and acknowledgements.
        case equal(messages: Int, acknowledgements: Int)
        /// The first packet that differs.
        case differs(Difference)
    }

    /// Where a replay leaves the recording.
    public struct Difference: Sendable, Hashable, CustomStringConvertible {
        /// Name of the capture.
        public var capture: String
        /// The daemon.
        public var node: String
        /// The frame of the capture; nil when the engine sent more than the daemon.
        public var frame: Int?
        /// The recorded message.
        public var message: String
        /// Field and both values; `time` and `missing` are fields too.
        public var difference: CmanPacketDifference

        public var description: String {
            let place = frame.map { "frame \($0)" } ?? "after the last frame"
            return
                "\(capture), \(node), \(place), \(message): \(difference.field) is \(difference.recorded), replayed \(difference.replayed)"
        }
    }

    /// The largest distance between a packet of the daemon and the engine's. Timers of the daemon run up to this late.
    public static let timeBound = Interval.milliseconds(250)

    let recording: CmanRecording
    let actions: CmanActions

    /// A replay of `recording`, whose nodes were started as `actions` says.
    public init(recording: CmanRecording, actions: CmanActions) {
        self.recording = recording
        self.actions = actions
    }

    /// One process of the recording.
    public struct Life: Sendable, CustomStringConvertible {
        var life: CmanRecording.Life
        var join: CmanActions.Join
        var isKilled: Bool
        /// Counts the processes of one node, from 1.
        var number: Int

        public var description: String { number == 1 ? join.name : "\(join.name), \(number). life" }
    }

    /// All processes that can be told apart.
    public var lives: [Life] {
        var count: [String: Int] = [:]
        return recording.lives.compactMap { life in
            guard let first = life.sent.first else { return nil }
            var join: CmanActions.Join?
            if case .joinReq(let request) = recording.packets[first].packet.body {
                let name = String(decoding: request.nodeName, as: UTF8.self)
                join = actions.joins.first { $0.name == name } ?? CmanActions.Join()
                join?.name = name
                join?.cluster = String(decoding: request.clusterName, as: UTF8.self)
                join?.expectedVotes = request.expectedVotes
                join?.nodeID = request.wantedNodeID
                join?.configVersion = request.configVersion
            } else {
                // A founder does not say its name; it is the first that was started, or the node of its number.
                let own = life.sent.map { recording.packets[$0].packet.header.sourceID }.first { $0 != 0 }
                let cluster = recording.packets[first].packet.header.cluster
                join = actions.joins.last {
                    (own == nil || own == Int32($0.nodeID)) && cmanClusterNumber($0.cluster.utf8) == cluster
                }
            }
            guard let join else { return nil }
            count[join.name, default: 0] += 1
            return Life(life: life, join: join, isKilled: actions.killed.contains(join.name), number: count[join.name, default: 1])
        }
    }

    /// Replays one life.
    public func run(_ life: Life) -> Outcome {
        var player = CmanReplayPlayer(recording: recording, life: life)
        player.play()
        return compare(life, player.sent)
    }

    private func compare(_ life: Life, _ replayed: [CmanReplayPlayer.Sent]) -> Outcome {
        let recorded = life.life.sent.map { recording.packets[$0] }
        let isAck = { (bytes: [UInt8]) in bytes[0] == CmanPort.protocol && bytes[CmanHeader.size] == CmanMessageKind.ack.command }
        let messages = difference(life, recorded.filter { !isAck($0.bytes) }, replayed.filter { !isAck($0.bytes) })
        if let messages { return .differs(messages) }
        // Packets of two nodes may be read in another order than they passed the capture; those of one node not.
        let targets = Set(recorded.map(\.destination)).union(replayed.compactMap(\.destination))
        for target in targets.sorted() {
            let ours = recorded.filter { isAck($0.bytes) && $0.destination == target }
            let theirs = replayed.filter { isAck($0.bytes) && $0.destination == target }
            if let acknowledgement = difference(life, ours, matchingIDs(theirs, ours)) { return .differs(acknowledgement) }
        }
        let count = recorded.filter { isAck($0.bytes) }.count
        return .equal(messages: recorded.count - count, acknowledgements: count)
    }

    /// The thread that acknowledges and the one that learns the node's id from ENDTRANS run side by side: an acknowledgement without id is
    /// equal to one with it.
    private func matchingIDs(_ replayed: [CmanReplayPlayer.Sent], _ recorded: [CmanRecording.Packet]) -> [CmanReplayPlayer.Sent] {
        var result = replayed
        for index in result.indices.prefix(recorded.count) {
            let isWithoutID = result[index].bytes[12..<16].allSatisfy { $0 == 0 }
            guard isWithoutID || recorded[index].packet.header.sourceID == 0 else { continue }
            result[index].bytes.replaceSubrange(12..<16, with: recorded[index].bytes[12..<16])
        }
        return result
    }

    /// A message says what was last received when it is sent: the daemon's may acknowledge what came in between the moments at which
    /// the engine and the daemon sent it.
    func isRacing(_ recorded: CmanRecording.Packet, _ replayed: CmanReplayPlayer.Sent) -> Bool {
        recording.packets.contains {
            $0.source != recorded.source && $0.packet.header.sequence == recorded.packet.header.acknowledgement
                && $0.packet.header.sourceID == recorded.packet.header.targetID
                && $0.time >= replayed.time && $0.time <= recorded.time
        }
    }

    private func difference(_ life: Life, _ recorded: [CmanRecording.Packet], _ replayed: [CmanReplayPlayer.Sent]) -> Difference? {
        func report(_ packet: CmanRecording.Packet?, _ message: String, _ field: String, _ one: String, _ other: String) -> Difference {
            Difference(
                capture: recording.name,
                node: life.description,
                frame: packet?.frame,
                message: message,
                difference: CmanPacketDifference(field: field, recorded: one, replayed: other)
            )
        }
        var raced: Set<UInt16> = []
        for (one, other) in zip(recorded, replayed) {
            let name = one.packet.body.name.description
            var other = other
            if raced.contains(one.packet.header.sequence) || isRacing(one, other) {
                raced.insert(one.packet.header.sequence)
                other.bytes.replaceSubrange(4..<6, with: one.bytes[4..<6])
            }
            if let difference = CmanPacketDifference.first(recorded: one.bytes, replayed: other.bytes) {
                return report(one, name, difference.field, difference.recorded, difference.replayed)
            }
            let isGroup = recording.groups.contains(one.destination)
            if other.destination.map({ $0 != one.destination }) ?? !isGroup {
                return report(one, name, "destination", one.destination.description, other.destination?.description ?? "group")
            }
            let distance = one.time - other.time
            if distance > Self.timeBound || distance < Interval.zero - Self.timeBound {
                return report(one, name, "time", "\(one.time.nanoseconds)", "\(Interval.zero - distance) later")
            }
        }
        if recorded.count > replayed.count {
            let missing = recorded[replayed.count]
            return report(missing, missing.packet.body.name.description, "missing", "sent", "not sent")
        }
        if replayed.count > recorded.count {
            let more = replayed[recorded.count]
            let name = more.bytes.withUnsafeBytes { CmanPacket(shapeOf: $0) }.body.name.description
            return report(nil, name, "missing", "not sent", "sent at \(more.time.nanoseconds)")
        }
        return nil
    }
}
