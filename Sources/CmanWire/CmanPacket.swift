import WireFormat

/// A whole datagram: header, message, and what follows it.
///
/// Which message a datagram holds is decided before its fields are walked: `init(shapeOf:of:)` looks at port and command, and `visit`
/// then goes over the fields of that shape, whether to read, to write or to dissect. `init(reading:of:)` does both.
public struct CmanPacket: WireStructure {
    /// Prefix of the names of its fields.
    public static let protocolName: StaticString = "cman"

    /// The generation whose layouts it has.
    public let generation: CmanGeneration
    /// The header.
    public var header = CmanHeader()
    /// The message.
    public var body = CmanBody.data
    /// Of a program's message its bytes, of any other what follows its last field; by position in the datagram.
    public var payload = ByteRange()

    /// An empty packet of the last generation.
    public init() {
        self.init(of: .cman5)
    }

    /// An empty packet of `generation`.
    public init(of generation: CmanGeneration) {
        self.generation = generation
    }

    /// A packet of the shape that `datagram` has in `generation`, with no field read yet.
    public init(shapeOf datagram: UnsafeRawBufferPointer, of generation: CmanGeneration = .cman5) {
        self.generation = generation
        let headerSize = generation.headerSize
        guard datagram.count >= headerSize else { return }
        let port = datagram[0]
        let command = datagram.count > headerSize ? datagram[headerSize] : 0
        switch port {
        case CmanPort.protocol, CmanPort.membership:
            body = CmanMessageKind(port: port, command: command, in: generation).map(CmanBody.init) ?? .unknown(command: command)
        case CmanPort.serviceManager:
            // Programs of the userland of 2005 use the same port in their own format: what does not fit exactly is data.
            let message = UnsafeRawBufferPointer(rebasing: datagram[headerSize...])
            if CmanServiceManagerMessage.matches(message) {
                body = CmanMessageKind(port: port, command: command).map(CmanBody.init) ?? .data
            }
        default:
            break
        }
    }

    /// Reads a whole datagram of `generation`. It allocates nothing for messages without lists and texts.
    ///
    /// Throws a `WireError` that names field and offset when a field is missing or cannot be.
    public init(reading datagram: UnsafeRawBufferPointer, of generation: CmanGeneration = .cman5) throws(WireError) {
        self.init(shapeOf: datagram, of: generation)
        var reader = WireReader(datagram)
        try visit(&reader)
    }

    /// Writes header and message into `buffer`, `payload` behind them, and returns how many bytes that takes.
    public mutating func write(
        into buffer: UnsafeMutableRawBufferPointer,
        payload: UnsafeRawBufferPointer? = nil
    ) throws(WireError) -> Int {
        var writer = WireWriter(buffer)
        try visit(&writer)
        if let payload { try writer.append(payload) }
        return writer.offset
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try header.visit(&visitor, of: generation)
        try visitCommand(&visitor)
        try body.visit(&visitor, of: generation)
        if case .data = body {
            try visitor.payload("data", &payload)
        } else if V.purpose != .write, visitor.includes(visitor.remaining > 0) {
            try visitor.payload("trailing", &payload)
        }
    }

    /// The byte that ports 0 and 1 tell their messages apart by; the service manager has it inside its own header.
    private mutating func visitCommand<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        var command: UInt8
        var port = CmanPort.membership
        switch body {
        case .data, .serviceManager: return
        case .unknown(let unknown): command = unknown
        default:
            guard let kind = body.kind else { return }
            command = kind.command
            port = kind.port
        }
        try visitor.field(
            "cmd",
            &command,
            .labelled(port == CmanPort.protocol ? CmanMessageKind.protocolLabel : CmanMessageKind.membershipLabel)
        )
    }
}
