/// Turns what packets mean into text, one after the other.
public protocol PacketRenderer {
    /// Appends what stands before the first packet.
    mutating func begin(to text: inout TextBuffer)
    /// Appends a packet.
    mutating func append(_ packet: Dissection, to text: inout TextBuffer)
    /// Appends what stands behind the last packet.
    mutating func end(to text: inout TextBuffer)
    /// Whether it shows the frame's own bytes or headers, which `PacketDissector.keepsFrames` is needed for.
    var needsFrames: Bool { get }
    /// Whether it shows fields; a line of text comes sooner without (`PacketDissector.Depth.messages`).
    var needsFields: Bool { get }
}

extension PacketRenderer {
    public mutating func begin(to text: inout TextBuffer) {}
    public mutating func end(to text: inout TextBuffer) {}
    public var needsFrames: Bool { false }
    public var needsFields: Bool { true }
}

extension TextRenderer: PacketRenderer {
    public var needsFields: Bool { false }
}

extension TreeRenderer: PacketRenderer {}
extension NDJSONRenderer: PacketRenderer {}
