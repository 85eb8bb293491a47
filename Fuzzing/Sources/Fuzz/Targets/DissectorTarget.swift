import Captures
import Dissection
import WireFormat

/// Frames of one recording, through the whole decoder and its renderers.
struct DissectorTarget: FuzzTarget {
    func run(_ input: UnsafeRawBufferPointer) {
        var choices = ChoiceReader(input)
        let linkType: LinkType = choices.choice(2) == 0 ? .ethernet : .rawIP
        var dissector = PacketDissector()
        let dissection = Dissection()
        var renderer = NDJSONRenderer()
        var text = TextBuffer()
        for (index, bytes) in PacketRun(choices.rest).enumerated() {
            dissector.dissect(
                CapturedPacket(
                    frame: index + 1,
                    time: Int64(index) * 100_000_000,
                    linkType: linkType,
                    originalLength: bytes.count,
                    bytes: bytes
                ),
                into: dissection
            )
            text.removeAll()
            TextRenderer().append(dissection, to: &text)
            TreeRenderer().append(dissection, to: &text)
            renderer.append(dissection, to: &text)
            if String(validating: text.bytes, as: UTF8.self) == nil { fatalError("no text") }
        }
    }
}
