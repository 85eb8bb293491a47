import Testing
import TotemNode
import TotemWire
import WireFormat

/// What a receiver delivers of packets that are not whole, by the steps of totempg_deliver_fn (reference/totem-wire.md 5.4).
@Suite struct AssemblerTests {
    /// Hands packets to an assembler, each a `continuation`, a `fragmented` and its pieces; gives what is delivered, and per packet
    /// whether nothing was lost.
    private func deliver(_ packets: [(continuation: UInt8, fragmented: UInt8, pieces: [String])]) -> (messages: [String], whole: [Bool]) {
        var assembler = Assembler()
        var messages: [String] = []
        var whole: [Bool] = []
        for (continuation, fragmented, pieces) in packets {
            let bytes = Array(pieces.joined().utf8)
            var packet = ProcessGroupPacket()
            packet.continuation = continuation
            packet.fragmented = fragmented
            packet.messageLengths = pieces.map { UInt16($0.utf8.count) }
            packet.data = ByteRange(start: 0, count: bytes.count)
            let isWhole = bytes.withUnsafeBytes { buffer in
                assembler.receive(packet, in: buffer) { messages.append(String(decoding: $0, as: UTF8.self)) }
            }
            whole.append(isWhole)
        }
        return (messages, whole)
    }

    @Test func putsPiecesTogether() {
        let result = deliver([(0, 1, ["a", "be"]), (1, 2, ["gin"]), (2, 0, ["ning", "c"]), (0, 0, ["d"])])
        #expect(result.messages == ["a", "beginning", "c", "d"])
        #expect(result.whole == [true, true, true, true])
    }

    /// Who comes in the middle of a stream of full packets gets nothing until one of them ends with a whole message; the whole messages
    /// in between too are lost, as on every daemon (interop scenario "freeze": corosync dropped them, ours delivered them).
    @Test func deliversNothingOfABrokenStreamUntilAMessageEndsWithItsPacket() {
        let result = deliver([(7, 8, ["end", "a", "be"]), (8, 9, ["gin", "b", "x"]), (9, 0, ["y", "c"]), (0, 0, ["d"])])
        #expect(result.messages == ["d"])
        #expect(result.whole == [false, false, false, true])
    }

    /// The packet with the wrong number ends with a whole message: only it is lost.
    @Test func goesOnBehindALostPiece() {
        let result = deliver([(0, 1, ["be"]), (2, 0, ["nd", "a"]), (0, 0, ["b"])])
        #expect(result.messages == ["b"])
        #expect(result.whole == [true, false, true])
    }

    @Test func losesAMessageThatIsNeverEnded() {
        let result = deliver([(0, 1, ["be"]), (0, 0, ["a"]), (0, 1, ["b", "x"]), (1, 0, ["y"])])
        #expect(result.messages == ["b", "xy"])
        #expect(result.whole == [true, false, true, true])
    }
}
