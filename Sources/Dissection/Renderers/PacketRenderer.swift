/// Turns what packets mean into text, one after the other.
public protocol PacketRenderer {
    /// Appends what stands before the first packet.
    mutating func begin(to text: inout TextBuffer)
    /// Appends a packet.
    mutating func append(_ packet: Dissection, to text: inout TextBuffer)
    /// Appends what stands behind the last packet.
    mutating func end(to text: inout TextBuffer)
    /// Whether it shows the frame's own bytes or all its headers, which `PacketDissector.keepsFrames` is needed for.
    var needsFrames: Bool { get }
    /// What of packets it shows, apart from `references`.
    var interest: Interest { get }
    /// What it looks up by name. It sees fields only in packets of a dissector that has them in its `selection`.
    var references: [FieldReference] { get }
}

extension PacketRenderer {
    public mutating func begin(to text: inout TextBuffer) {}
    public mutating func end(to text: inout TextBuffer) {}
    public var needsFrames: Bool { false }
    public var interest: Interest { .everything }
    public var references: [FieldReference] { [] }
}

extension TextRenderer: PacketRenderer {
    public var interest: Interest { [.message, .origin, .carried, .text] }
}

extension TreeRenderer: PacketRenderer {}
extension NDJSONRenderer: PacketRenderer {}
