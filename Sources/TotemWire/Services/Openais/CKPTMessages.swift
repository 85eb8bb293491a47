import WireFormat

/// Functions of the checkpoint service (ckpt.c:73@wt; the same in openais 1).
public enum CKPTFunction: UInt16, Sendable, Hashable, CaseIterable {
    case checkpointOpen = 0
    case checkpointClose = 1
    case checkpointUnlink = 2
    case checkpointRetentionDurationSet = 3
    case checkpointRetentionDurationExpire = 4
    case sectionCreate = 5
    case sectionDelete = 6
    case sectionExpirationTimeSet = 7
    case sectionWrite = 8
    case sectionOverwrite = 9
    case sectionRead = 10
    case syncCheckpoint = 11
    case syncCheckpointSection = 12
    case syncCheckpointRefcount = 13

    /// The name of its message.
    var messageName: StaticString {
        switch self {
        case .checkpointOpen: "ckpt.checkpointopen"
        case .checkpointClose: "ckpt.checkpointclose"
        case .checkpointUnlink: "ckpt.checkpointunlink"
        case .checkpointRetentionDurationSet: "ckpt.checkpointretentiondurationset"
        case .checkpointRetentionDurationExpire: "ckpt.checkpointretentiondurationexpire"
        case .sectionCreate: "ckpt.sectioncreate"
        case .sectionDelete: "ckpt.sectiondelete"
        case .sectionExpirationTimeSet: "ckpt.sectionexpirationtimeset"
        case .sectionWrite: "ckpt.sectionwrite"
        case .sectionOverwrite: "ckpt.sectionoverwrite"
        case .sectionRead: "ckpt.sectionread"
        case .syncCheckpoint: "ckpt.synccheckpoint"
        case .syncCheckpointSection: "ckpt.synccheckpointsection"
        case .syncCheckpointRefcount: "ckpt.synccheckpointrefcount"
        }
    }

    /// Whether it belongs to synchronisation, and names the ring instead of a client.
    var isSynchronisation: Bool { rawValue >= CKPTFunction.syncCheckpoint.rawValue }

    /// Whether the message is about a section, whose name's length it tells.
    var hasSection: Bool {
        (CKPTFunction.sectionCreate.rawValue...CKPTFunction.sectionRead.rawValue).contains(rawValue) || self == .syncCheckpointSection
    }
}

/// A message of the checkpoint service: what is done to which checkpoint (ckpt.c:648-772@wt). What is particular to a function is bytes.
public struct CKPTMessage: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "ckpt" }
    public static var messageName: StaticString { "checkpointopen" }

    /// What is done.
    public var function: CKPTFunction
    /// The header.
    public var header = ServiceHeader(of: .openais080)
    /// The sender as it names itself; not in messages of synchronisation.
    public var source = ServiceMessageSource()
    /// The ring on which synchronisation takes place.
    public var ring = SyncRing(of: .openais080)
    /// The checkpoint.
    public var checkpointName = MarshalledName()
    /// Its number.
    public var checkpointID: UInt32 = 0
    /// Bytes after `checkpointID`.
    public var pad1: UInt32 = 0
    /// Length of the name of the section in bytes.
    public var sectionNameLength: UInt32 = 0
    /// Bytes after `sectionNameLength`.
    public var pad2: UInt32 = 0
    /// What the function has besides, with name and content of the section.
    public var data = ByteRange()

    public init() {
        function = .checkpointOpen
    }

    /// The name of the checkpoint by which the number for the next one is synchronised (ckpt.c:3514@wt); it is no checkpoint.
    public static let globalName: StaticString = "global_checkpoint_name_do_not_use_in_an_application"

    /// Tells on `ring` the number that the next checkpoint gets. `data` is what has to be appended.
    public init(nextCheckpoint number: UInt32, ring: SyncRing) {
        function = .syncCheckpoint
        header = ServiceHeader(.ckpt, function: CKPTFunction.syncCheckpoint.rawValue, size: 392, of: .openais080)
        self.ring = ring
        checkpointName = MarshalledName(Self.globalName.description.utf8)
        checkpointID = number
        data = ByteRange(start: 0, count: 72)
    }

    /// A message of `function` whose fields are all zero.
    public init(_ function: CKPTFunction, of generation: TotemGeneration) {
        self.function = function
        header = ServiceHeader(of: generation)
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        if function.isSynchronisation {
            try ring.visit(&visitor)
        } else if function != .checkpointRetentionDurationExpire {
            try visitor.structure("source", &source)
        }
        try visitor.structure("checkpoint_name", &checkpointName)
        if function != .checkpointUnlink {
            try visitor.field("ckpt_id", &checkpointID)
            try visitor.field("pad1", &pad1, .padding)
        }
        if function.hasSection {
            try visitor.field("id_len", &sectionNameLength)
            try visitor.field("pad2", &pad2, .padding)
        }
        try visitor.payload("data", &data)
    }
}
