import TotemWire
import WireFormat

/// A datagram of any generation of Totem, without a security envelope, and the messages that it packs.
struct TotemTarget: FuzzTarget {
    func run(_ input: UnsafeRawBufferPointer) {
        var choices = ChoiceReader(input)
        switch choices.choice(of: TotemGeneration.allCases) {
        case .totem2005: read(choices.rest, as: OpenAIS2005.self)
        case .openais080: read(choices.rest, as: OpenAIS080.self)
        case .corosync1: read(choices.rest, as: Corosync1.self)
        case .corosync2: read(choices.rest, as: Corosync2.self)
        case .corosync3: read(choices.rest, as: Corosync3.self)
        }
    }

    private func read<Dialect: TotemDialect>(_ datagram: UnsafeRawBufferPointer, as dialect: Dialect.Type) {
        guard let packet = try? TotemPacket<Dialect>(reading: datagram) else { return }
        guard let written = try? packet.bytes(of: datagram) else { fatalError("cannot be written") }
        expectSame(written, datagram, "\(Dialect.generation.name)")
    }
}
