import CaptureSupport
import Testing
import TotemWire
import WireFormat

/// Reassembly by the rules of reference/totem-wire.md 6.2.
@Suite struct KnetDefragmenterTests {
    private static let links = (0..<2).map { link in (0..<4).map { IPAddress(ipv4: 0x0A4D_0200 + UInt32(link << 8 + $0)) } }

    /// A packet of node 1 to node 2 over link `link`.
    private func add(
        _ defragmenter: inout KnetDefragmenter,
        _ sequence: UInt16,
        _ fragment: (Int, of: Int) = (0, of: 1),
        _ payload: [UInt8] = [1],
        link: Int = 0,
        to receiver: Int = 2,
        mark: Int = 0
    ) -> KnetDefragmenter.Outcome {
        var data = KnetData()
        data.sequence = sequence
        data.fragmentSequence = UInt8(fragment.0)
        data.fragmentCount = UInt8(fragment.of)
        return payload.withUnsafeBytes {
            defragmenter.add(data, $0, from: 1, at: Self.links[link][1], to: Self.links[link][receiver], mark: mark)
        }
    }

    private func ping(
        _ defragmenter: inout KnetDefragmenter,
        from node: Int = 1,
        to receiver: Int = 2,
        link: Int = 0,
        sequence: UInt16,
        timed: UInt8
    ) {
        var ping = KnetPing()
        ping.sequence = sequence
        ping.timed = timed
        defragmenter.note(ping, from: UInt16(node), at: Self.links[link][node], to: Self.links[link][receiver])
    }

    @Test func fragmentsMayComeInAnyOrder() {
        let pieces: [[UInt8]] = [Array(repeating: 1, count: 10), Array(repeating: 2, count: 10), Array(repeating: 3, count: 10), [4, 5]]
        var sequence: UInt16 = 0
        for order in permutations(of: [0, 1, 2, 3]) {
            var defragmenter = KnetDefragmenter()
            sequence &+= 1
            for (count, piece) in order.dropLast().enumerated() {
                let outcome = add(&defragmenter, sequence, (piece + 1, of: 4), pieces[piece])
                #expect(outcome == .incomplete(received: count + 1, fragments: 4))
                #expect(add(&defragmenter, sequence, (piece + 1, of: 4), pieces[piece]) == .repeatedFragment)
            }
            #expect(add(&defragmenter, sequence, (order[3] + 1, of: 4), pieces[order[3]], mark: 7) == .complete(fragments: 4))
            #expect(defragmenter.message == pieces.flatMap(\.self), "order \(order)")
            #expect(add(&defragmenter, sequence, (1, of: 4), pieces[0]) == .repeated(mark: 7))
        }
    }

    private func permutations(of values: [Int]) -> [[Int]] {
        guard values.count > 1 else { return [values] }
        return values.flatMap { first in permutations(of: values.filter { $0 != first }).map { [first] + $0 } }
    }

    @Test func aLastFragmentMayBeEmptyButNotLonger() {
        var defragmenter = KnetDefragmenter()
        _ = add(&defragmenter, 1, (1, of: 2), [1, 2])
        #expect(add(&defragmenter, 1, (2, of: 2), []) == .complete(fragments: 2))
        #expect(defragmenter.message == [1, 2])
        _ = add(&defragmenter, 2, (1, of: 2), [1, 2])
        #expect(add(&defragmenter, 2, (2, of: 2), [1, 2, 3]) == .invalid)
        #expect(defragmenter.abandoned == 1)
    }

    @Test func copiesOverAnotherLinkAreTold() {
        var defragmenter = KnetDefragmenter()
        // Node 2 has been heard on both links, so that its addresses are known to be one receiver.
        for link in 0..<2 { ping(&defragmenter, from: 2, to: 1, link: link, sequence: 0, timed: 1) }
        #expect(add(&defragmenter, 5, link: 0, mark: 11) == .whole)
        #expect(add(&defragmenter, 5, link: 1, mark: 12) == .repeated(mark: 11))
        #expect(add(&defragmenter, 6, (1, of: 2), link: 0, mark: 13) == .incomplete(received: 1, fragments: 2))
        #expect(add(&defragmenter, 6, (2, of: 2), link: 1, mark: 14) == .complete(fragments: 2))
        #expect(add(&defragmenter, 6, (2, of: 2), link: 0, mark: 15) == .repeated(mark: 14))
    }

    @Test func everyReceiverHasItsOwnCopy() {
        var defragmenter = KnetDefragmenter()
        #expect(add(&defragmenter, 5, to: 2) == .whole)
        #expect(add(&defragmenter, 5, to: 3) == .whole)
    }

    @Test func theWindowHas4096Numbers() {
        var defragmenter = KnetDefragmenter()
        for sequence in [UInt16](65_000...65_535) + [UInt16](0...3_000) { #expect(add(&defragmenter, sequence, mark: 3) == .whole) }
        #expect(add(&defragmenter, 65_000) == .repeated(mark: 3))
        #expect(add(&defragmenter, 3_000 + 4_095) == .whole)
        #expect(add(&defragmenter, 3_000) == .repeated(mark: 3))
        #expect(add(&defragmenter, 3_001) == .whole)
        // Farther away than the window: a new numbering.
        #expect(add(&defragmenter, 40_000) == .whole)
        #expect(add(&defragmenter, 3_000) == .whole)
    }

    @Test func aSenderThatBeginsAnewIsBelieved() {
        var defragmenter = KnetDefragmenter()
        ping(&defragmenter, sequence: 0, timed: 1)
        #expect(add(&defragmenter, 1) == .whole)
        ping(&defragmenter, sequence: 1, timed: 1)
        #expect(add(&defragmenter, 1) == .repeated(mark: 0))
        _ = add(&defragmenter, 2, (1, of: 2))
        ping(&defragmenter, sequence: 0, timed: 1)
        #expect(defragmenter.abandoned == 1)
        #expect(add(&defragmenter, 1) == .whole)
        // The same over its second link says nothing new.
        ping(&defragmenter, sequence: 0, timed: 1)
        #expect(add(&defragmenter, 1) == .repeated(mark: 0))
    }

    @Test func anUntimedPingWithoutDataBeforeClears() {
        var defragmenter = KnetDefragmenter()
        #expect(add(&defragmenter, 100) == .whole)
        ping(&defragmenter, sequence: 100, timed: 0)
        #expect(add(&defragmenter, 100) == .repeated(mark: 0))
        ping(&defragmenter, sequence: 101, timed: 0)
        ping(&defragmenter, sequence: 102, timed: 0)
        #expect(add(&defragmenter, 100) == .whole)
    }

    @Test(arguments: [(0, 2), (3, 2), (255, 255), (1, 255)])
    func impossibleNumbersAreRefused(sequence: Int, count: Int) {
        var defragmenter = KnetDefragmenter()
        #expect(add(&defragmenter, 1, (sequence, of: count)) == .invalid)
    }

    @Test func fragmentsThatDoNotBelongTogetherMakeNothing() {
        var defragmenter = KnetDefragmenter()
        _ = add(&defragmenter, 1, (1, of: 3), [1, 2])
        #expect(add(&defragmenter, 1, (2, of: 3), [1, 2, 3]) == .invalid)
        _ = add(&defragmenter, 2, (1, of: 3), [1, 2])
        #expect(add(&defragmenter, 2, (2, of: 4), [1, 2]) == .invalid)
        #expect(add(&defragmenter, 3, (254, of: 254), []) == .incomplete(received: 1, fragments: 254))
        #expect(add(&defragmenter, 3, (1, of: 254), Array(repeating: 0, count: 300)) == .invalid, "longer than any message")
        #expect(defragmenter.abandoned == 3)
    }

    @Test func unfinishedMessagesAreBounded() {
        var defragmenter = KnetDefragmenter()
        for sequence in UInt16(1)...100 { _ = add(&defragmenter, sequence, (1, of: 2)) }
        #expect(defragmenter.abandoned == 100 - KnetDefragmenter.messageLimit)
        // The newest ones are still there, older ones are not.
        #expect(add(&defragmenter, 100, (2, of: 2)) == .complete(fragments: 2))
        #expect(add(&defragmenter, 69, (2, of: 2)) == .complete(fragments: 2))
        #expect(add(&defragmenter, 68, (2, of: 2)) == .incomplete(received: 1, fragments: 2))
    }

    /// Any packets from anybody: nothing crashes, and what is held stays within its limits.
    @Test(arguments: [1, 2])
    func hostilePackets(seed: UInt64) {
        var generator = SplitMix(state: seed)
        var defragmenter = KnetDefragmenter()
        let payload = [UInt8](repeating: 7, count: 2_000)
        for round in 0..<1_000 {
            var data = KnetData()
            data.sequence = UInt16(truncatingIfNeeded: generator.next() % 200)
            data.fragmentCount = UInt8(truncatingIfNeeded: generator.next())
            data.fragmentSequence = UInt8(truncatingIfNeeded: generator.next())
            let sender = UInt16(truncatingIfNeeded: generator.next() % 1_000)
            let size = Int(generator.next() % 2_000)
            payload.withUnsafeBytes { bytes in
                _ = defragmenter.add(
                    data,
                    UnsafeRawBufferPointer(rebasing: bytes[..<size]),
                    from: sender,
                    at: IPAddress(ipv4: UInt32(sender)),
                    to: IPAddress(ipv4: UInt32(truncatingIfNeeded: generator.next() % 3)),
                    mark: round
                )
            }
            #expect(defragmenter.message.count <= 65_536, "seed \(seed)")
        }
    }
}

/// A small generator with a seed that can be printed.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
