import CmanWire
import WireFormat

/// A datagram of any generation of legacy cman, groupd's and clvmd's messages included.
struct CmanTarget: FuzzTarget {
    func run(_ input: UnsafeRawBufferPointer) {
        var choices = ChoiceReader(input)
        let generation = choices.choice(of: CmanGeneration.allCases)
        let datagram = choices.rest
        _ = CmanEvidence(of: datagram, hasShortHeader: generation.hasShortHeader)
        if GroupdMessage.matches(datagram), let message = try? GroupdMessage(reading: datagram), let written = try? message.bytes() {
            expectSame(written, datagram, "groupd")
        }
        if ClvmdMessage.matches(datagram), let message = try? ClvmdMessage(reading: datagram),
            let written = try? message.bytes(payload: datagram[message.arguments.range])
        {
            expectSame(written, datagram, "clvmd")
        }
        guard let packet = try? CmanPacket(reading: datagram, of: generation) else { return }
        guard let written = try? packet.bytes(payload: datagram[packet.payload.range]) else { fatalError("cannot be written") }
        expectSame(written, datagram, "\(generation.name)")
    }
}
