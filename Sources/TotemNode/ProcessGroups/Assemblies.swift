import EngineKit
import TotemWire
import WireFormat

/// The open messages of every sender. There are two sets: what is sent while a new ring synchronises must not be mixed with
/// messages that began before (assembly_ref totempg.c:290).
struct Assemblies: Sendable {
    private let generation: TotemGeneration
    private let hasGroups: Bool

    /// Whether packets belong to the set of the ring that still synchronises (totempg_waiting_transack).
    var isTransitional = false

    private var regular: [UInt32: Assembler] = [:]
    private var transitional: [UInt32: Assembler] = [:]
    // Read again and again, so that a message in one packet allocates nothing.
    private var packet = ProcessGroupPacket()
    private var header = GroupHeader()

    /// Nothing yet, of senders of `generation`.
    init(_ generation: TotemGeneration) {
        self.generation = generation
        hasGroups = TotemRules(generation).hasGroups
    }

    /// Forgets the open messages of senders that are gone.
    mutating func remove(_ senders: [UInt32]) {
        for sender in senders {
            regular[sender] = nil
            transitional[sender] = nil
        }
    }

    /// Takes the next packet of `sender` in total order and reports each message that it completes, once per group that it names.
    mutating func receive(
        _ payload: UnsafeRawBufferPointer,
        from sender: UInt32,
        byteOrder: ByteOrder,
        delivered: inout UInt64,
        into effects: inout Effects<TotemDestination, TotemEvent>
    ) -> TotemRefusal? {
        var reader = WireReader(payload, byteOrder: byteOrder)
        guard (try? packet.visit(&reader)) != nil, packet.lengthsAreSound(in: generation) else { return .brokenFragment(from: sender) }
        var isIntact = true
        let hasGroups = hasGroups
        let isWhole = withAssembler(of: sender) { assembler, packet, header in
            assembler.receive(packet, in: payload) { message in
                guard hasGroups else {
                    delivered += 1
                    let content = effects.keep(message)
                    effects.report(.message(from: sender, group: ByteRange(), payload: content, byteOrder: byteOrder))
                    return
                }
                var reader = WireReader(message, byteOrder: byteOrder)
                guard (try? header.visit(&reader)) != nil else {
                    isIntact = false
                    return
                }
                delivered += 1
                let stored = effects.keep(message)
                let content = ByteRange(start: stored.start + header.message.start, count: header.message.count)
                var start = content.start - header.names.reduce(0) { $0 + $1.count }
                for name in header.names {
                    let group = ByteRange(start: start, count: name.count)
                    start += name.count
                    effects.report(.message(from: sender, group: group, payload: content, byteOrder: byteOrder))
                }
            }
        }
        return isWhole && isIntact ? nil : .brokenFragment(from: sender)
    }

    private mutating func withAssembler<Result>(
        of sender: UInt32,
        _ body: (inout Assembler, borrowing ProcessGroupPacket, inout GroupHeader) -> Result
    ) -> Result {
        if isTransitional {
            return body(&transitional[sender, default: Assembler()], packet, &header)
        } else {
            return body(&regular[sender, default: Assembler()], packet, &header)
        }
    }
}
