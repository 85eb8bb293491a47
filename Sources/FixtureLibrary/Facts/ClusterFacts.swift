/// What one node knew about who is in the cluster with it, at one moment.
public struct MembershipView: Sendable, Hashable {
    /// When, in seconds since the first frame of the capture.
    public var at: Double
    /// The node.
    public var node: UInt32
    /// Its members as it sees them, ascending, itself included.
    public var members: [UInt32]
    /// cman: the cluster's generation.
    public var generation: UInt64?
    /// Totem: the ring, `<representative>.<sequence>` in decimal.
    public var ring: String?
    /// Whether it believes to have quorum.
    public var isQuorate: Bool?

    /// What `node` knew `at` some time.
    public init(
        at: Double,
        node: UInt32,
        members: [UInt32],
        generation: UInt64? = nil,
        ring: String? = nil,
        isQuorate: Bool? = nil
    ) {
        self.at = at
        self.node = node
        self.members = members
        self.generation = generation
        self.ring = ring
        self.isQuorate = isQuorate
    }
}

/// A ring that a Totem processor took into use: it delivered the configuration and became operational.
public struct RingFormation: Sendable, Hashable {
    /// The processor.
    public var node: UInt32
    /// The ring, `<representative>.<sequence>` in decimal; nil where the daemon does not tell its number.
    public var ring: String?
    /// Its members, ascending.
    public var members: [UInt32]

    /// `node` took `ring` into use.
    public init(node: UInt32, ring: String?, members: [UInt32]) {
        self.node = node
        self.ring = ring
        self.members = members
    }
}

/// A node that went.
public struct Departure: Sendable, Hashable {
    /// How a node can go.
    public enum Manner: String, Sendable, Hashable, CaseIterable {
        /// Its daemon ended without a word: it was killed, or gave up.
        case killed
        /// It left in order.
        case left
        /// It left in order, and the votes that are expected went down with it (`cman_tool leave remove`).
        case removed
    }

    /// When it was told to go, in seconds since the first frame of the capture.
    public var at: Double
    /// The node.
    public var node: UInt32
    /// How it went.
    public var manner: Manner

    /// `node` went.
    public init(at: Double, node: UInt32, manner: Manner) {
        self.at = at
        self.node = node
        self.manner = manner
    }
}

/// A message that a program received.
public struct DeliveredMessage: Sendable, Hashable {
    /// The place of a message whose receiver listened at several and does not tell which.
    public static let anyPlace = "*"

    /// Node id of the sender.
    public var sender: UInt32
    /// The sending process, or the port it sent from; 0 where the service tells neither.
    public var process: UInt32
    /// The group, or the port it was sent to.
    public var place: String
    /// Its length in bytes, as it was received.
    public var length: Int
    /// Its content, hashed as the recording's clients did (`ContentHash`).
    public var hash: UInt32

    /// A message with all its values.
    public init(sender: UInt32, process: UInt32, place: String, length: Int, hash: UInt32) {
        self.sender = sender
        self.process = process
        self.place = place
        self.length = length
        self.hash = hash
    }
}

/// How the clients of the recordings hashed what they received.
public enum ContentHash: String, Sendable, Hashable, CaseIterable {
    /// FNV-1a with 32 bits: the corosync clients.
    case fnv1a = "fnv-1a-32"
    /// `h = h * 31 + byte` with 32 bits, from 0: the openais clients.
    case times31 = "times-31"
    /// The sum of the bytes: the cman clients.
    case byteSum = "byte-sum"

    /// The hash of `bytes`.
    public func callAsFunction(_ bytes: some Sequence<UInt8>) -> UInt32 {
        switch self {
        case .fnv1a: bytes.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        case .times31: bytes.reduce(0) { $0 &* 31 &+ UInt32($1) }
        case .byteSum: bytes.reduce(0) { $0 &+ UInt32($1) }
        }
    }
}

/// What one program received, in order.
public struct Reception: Sendable, Hashable {
    /// The services that programs receive by.
    public enum Service: String, Sendable, Hashable, CaseIterable {
        /// Closed process groups.
        case cpg
        /// Extended virtual synchrony, openais only.
        case evs
        /// A port of legacy cman or of cman on Totem.
        case port
    }

    /// The program, as the recording calls it: `1.a`.
    public var receiver: String
    /// Its node.
    public var node: UInt32
    /// Its process id; 0 where it is not told.
    public var process: UInt32 = 0
    /// What it received by.
    public var service: Service
    /// How contents are hashed.
    public var hash: ContentHash
    /// The groups it was in when the capture began, or the port it listened on.
    public var places: [String] = []
    /// When it began and ceased to receive, in seconds since the first frame; nil for the whole capture.
    public var from: Double?
    /// When it ceased.
    public var until: Double?
    /// What it received.
    public var messages: [DeliveredMessage] = []

    /// A program that has received nothing yet.
    public init(receiver: String, node: UInt32, service: Service, hash: ContentHash) {
        self.receiver = receiver
        self.node = node
        self.service = service
        self.hash = hash
    }
}
