import EngineKit
import TotemNode
import WireFormat

/// A process that takes part in CPG groups.
public struct CPGProcess: Sendable, Hashable, Comparable {
    /// Its node.
    public var node: UInt32
    /// Its process id.
    public var pid: UInt32

    /// Process `pid` of `node`.
    public init(node: UInt32, pid: UInt32) {
        self.node = node
        self.pid = pid
    }

    public static func < (left: CPGProcess, right: CPGProcess) -> Bool { (left.node, left.pid) < (right.node, right.pid) }
}

/// Why a process joined or left a group (reference/totem-services.md 7.2).
public enum CPGReason: UInt32, Sendable, Hashable {
    case join = 1
    case leave = 2
    case nodeDown = 3
    case nodeUp = 4
    case processDown = 5
}

/// The membership of one group after a change.
public struct CPGMembership: Sendable, Hashable {
    /// A process that came or went, and why.
    public struct Change: Sendable, Hashable {
        /// The process.
        public var process: CPGProcess
        /// Why.
        public var reason: CPGReason

        /// `process` came or went for `reason`.
        public init(process: CPGProcess, reason: CPGReason) {
            self.process = process
            self.reason = reason
        }
    }

    /// Name of the group, 1 to 127 bytes.
    public var group: String
    /// Every process in it, ascending.
    public var members: [CPGProcess]
    /// Who joined.
    public var joined: [Change]
    /// Who left.
    public var left: [Change]

    /// A membership with all its values.
    public init(group: String, members: [CPGProcess], joined: [Change], left: [Change]) {
        self.group = group
        self.members = members
        self.joined = joined
        self.left = left
    }
}

/// Quorum as votequorum sees it.
public struct VoteQuorum: Sendable, Hashable {
    /// Ring it holds for.
    public var ring: TotemRingID
    /// Votes needed.
    public var quorum: UInt32
    /// Votes present.
    public var totalVotes: UInt32
    /// Votes expected.
    public var expectedVotes: UInt32
    /// Whether the cluster may work.
    public var isQuorate: Bool
    /// Votes of each member that has told them.
    public var votes: [UInt32: UInt32]

    /// Quorum with all its numbers.
    public init(ring: TotemRingID, quorum: UInt32, totalVotes: UInt32, expectedVotes: UInt32, isQuorate: Bool, votes: [UInt32: UInt32]) {
        self.ring = ring
        self.quorum = quorum
        self.totalVotes = totalVotes
        self.expectedVotes = expectedVotes
        self.isQuorate = isQuorate
        self.votes = votes
    }
}

/// What a processor with its services reports.
///
/// For a new ring the order is that of the daemons: the two configurations, then at the activation of each service the groups that
/// changed and quorum, then `synchronised`. Messages keep their place in the total order, which may be before `synchronised`.
public enum ProcessorEvent: Sendable {
    /// The ring's state changed.
    case ring(TotemState)
    /// A transitional or regular configuration of the ring.
    case membership(TotemMembership)
    /// Synchronisation of the ring's services is complete: CPG and quorum are valid for it.
    case synchronised(TotemRingID)
    /// Quorum changed, or holds for a new ring.
    case quorum(VoteQuorum)
    /// A group's membership changed.
    case group(CPGMembership)
    /// A CPG message, in total order. `payload` lies in the store of the effects; `group` is its name.
    case message(group: String, from: CPGProcess, payload: ByteRange)
    /// A CPG message of a group in which this node has no process (`ProcessorConfiguration.reportsUnheardMessages`).
    case unheard(group: String, from: CPGProcess)
    /// Another node asks this one to leave (CFG kill). A daemon exits at once, without a word.
    case killed(by: UInt32)
    /// At its first synchronisation the processor finds that another node has a newer configuration than its own. A daemon exits.
    case outdatedConfiguration(own: UInt64, newest: UInt64)
    /// At its first message another member says that it sees disallowed nodes, which this one does not (votequorum of corosync 1, cman).
    /// A daemon exits.
    case seesDisallowed(UInt32)
    /// An order to every member, of the administrator of node `from`.
    case configuration(ConfigurationOrder, from: UInt32)
    /// Store these expected votes (`VoteQuorumConfiguration.storedExpectedVotes`) before carrying out any later effect.
    case storeExpectedVotes(UInt32)
    /// Something that cman on Totem reports.
    case cman(CmanOnTotemEvent)
    /// Another node has the id of this one.
    case duplicateIdentity(from: Endpoint)
    /// See `TotemEvent.storeRingSequence`.
    case storeRingSequence(UInt64)
    /// A packet or message was refused; counted, and worth a log line.
    case refused(ProcessorRefusal)
}

/// What an administrator wants of every member (CFG; reference/totem-services.md 7.4).
public enum ConfigurationOrder: Sendable, Hashable {
    /// Use rings again that were found faulty. Until corosync 2.
    case reenableRings
    /// The sender is being shut down.
    case shutdown
    /// Read the configuration file again. Since corosync 2.
    case reload
    /// Encrypt in another way: 0 SOBER-128, 1 NSS. Corosync 1 only.
    case setCrypto(UInt32)
    /// Take the next step of a change of keys. Since corosync 3.1.
    case reconfigureCrypto(phase: UInt32)
}

/// Why a packet or message was refused.
public enum ProcessorRefusal: Sendable, Hashable {
    /// By the ring.
    case ring(TotemRefusal)
    /// A service message that could not be read.
    case malformed(service: String, WireError, from: UInt32)
    /// A service or function that this processor does not have.
    case unknownFunction(service: UInt16, function: UInt16, from: UInt32)
    /// A Totem process group that no service of this processor uses.
    case unknownGroup(from: UInt32)
    /// A CPG message from a node that has no process in the group.
    case unknownSender(group: String, from: CPGProcess)
    /// The record of a quorum device from a node that has not told its own votes.
    case unknownVoter(UInt32)
    /// A message of cman that names another node than the one that sent it.
    case wrongSource(claimed: Int32, from: UInt32)
    /// A node in cman's ring that the configuration does not have.
    case unknownMember(UInt32)
    /// A node of another cluster, or with another configuration.
    case mismatch(CmanOnTotemMismatch, from: UInt32)
    /// A command of cman's that it does not have.
    case unknownCommand(UInt8, from: UInt32)
    /// The processor holds as many processes, or pieces of large messages, as it may.
    case tableFull(service: String, from: UInt32)
}

/// In what a node does not fit into the cluster of this one (commands.c:1478@cman2).
public enum CmanOnTotemMismatch: Sendable, Hashable {
    /// The cluster's name.
    case clusterName
    /// The cluster's number.
    case clusterID
    /// The major version of the protocol, which is another one than 6.
    case version(UInt32)
    /// The version of the configuration file.
    case configVersion(UInt32)
    /// The node id, which another node has, or is not the one that was wanted; the first cman only.
    case nodeID(Int32)
}
