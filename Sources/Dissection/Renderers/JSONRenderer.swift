/// All packets as one JSON array; its elements are the objects of `NDJSONRenderer`.
public struct JSONRenderer: PacketRenderer {
    private var objects = NDJSONRenderer()
    private var isFirst = true

    /// A renderer.
    public init() {}

    public mutating func begin(to text: inout TextBuffer) {
        text.append("[")
    }

    public mutating func append(_ packet: Dissection, to text: inout TextBuffer) {
        text.append(isFirst ? "\n" : ",\n")
        isFirst = false
        objects.append(packet, to: &text)
        text.removeLast()
    }

    public mutating func end(to text: inout TextBuffer) {
        text.append("\n]\n")
    }
}
