import EngineKit
import Testing
import WireFormat

private enum Timer: Int, CaseIterable {
    case first, second
}

@Test func theEarliestDeadlineComesFirst() {
    var deadlines = Deadlines<Timer>()
    #expect(deadlines.next == nil)
    deadlines[.first] = Instant(nanoseconds: 20)
    deadlines[.second] = Instant(nanoseconds: 10)
    #expect(deadlines.next == Instant(nanoseconds: 10))
    #expect(deadlines.takeDue(at: Instant(nanoseconds: 5)) == nil)
    #expect(deadlines.takeDue(at: Instant(nanoseconds: 25)) == .second)
    #expect(deadlines.takeDue(at: Instant(nanoseconds: 25)) == .first)
    #expect(deadlines.takeDue(at: Instant(nanoseconds: 25)) == nil)
}

private struct Word: WireStructure {
    var value: UInt32 = 0
    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) { try visitor.field("value", &value) }
}

@Test func effectsKeepOrderAndBytes() throws {
    var effects = Effects<Int, String>(capacity: 4)
    var word = Word(value: 0x0102_0304)
    let range = try [UInt8]([9, 9]).withUnsafeBytes { payload in try effects.keep(&word, payload: payload) }
    effects.transmit(range, to: 7)
    effects.report("sent")
    #expect(effects.bytes(range) == [4, 3, 2, 1, 9, 9])
    guard case .transmit(range, to: 7) = effects.effects[0], case .event("sent") = effects.effects[1] else {
        Issue.record("wrong order")
        return
    }
    effects.removeAll()
    #expect(effects.isEmpty)
}

@Test func aSeedRepeats() {
    var one = RandomSource(seed: 42)
    var two = RandomSource(seed: 42)
    #expect((0..<8).map { _ in one.next() } == (0..<8).map { _ in two.next() })
}
