import TotemWire
import WireFormat

/// The token of an idle ring through the visitor against the same work written by hand.
enum TokenBenchmark {
    /// What a hand-written parser takes from a token with an empty retransmit list.
    struct PlainToken {
        var nodeID: UInt32 = 2
        var targetNodeID: UInt32 = 0
        var sequence: UInt32 = 70
        var tokenSequence: UInt32 = 0
        var allReceivedUpTo: UInt32 = 70
        var allReceivedUpToAddress: UInt32 = 0
        var representative: UInt32 = 1
        var ringSequence: UInt64 = 12
        var backlog: UInt32 = 0
        var flowControlCount: UInt32 = 3
        var retransmitFlag: Int32 = 0

        static let size = 57

        init() {}

        @inline(never)
        init?(_ bytes: UnsafeRawBufferPointer) {
            func number<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
                T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
            }
            guard bytes.count >= Self.size, number(0, UInt16.self) == 0xC070, bytes[2] == 3, bytes[3] == 0 else { return nil }
            nodeID = number(5, UInt32.self)
            targetNodeID = number(9, UInt32.self)
            sequence = number(13, UInt32.self)
            tokenSequence = number(17, UInt32.self)
            allReceivedUpTo = number(21, UInt32.self)
            allReceivedUpToAddress = number(25, UInt32.self)
            representative = number(29, UInt32.self)
            ringSequence = number(33, UInt64.self)
            backlog = number(41, UInt32.self)
            flowControlCount = number(45, UInt32.self)
            retransmitFlag = number(49, Int32.self)
            guard number(53, Int32.self) == 0 else { return nil }
        }

        @inline(never)
        func write(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
            func put<T: FixedWidthInteger>(_ value: T, _ offset: Int) {
                bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
            }
            guard bytes.count >= Self.size else { return 0 }
            put(UInt16(0xC070), 0)
            bytes[2] = 3
            bytes[3] = 0
            bytes[4] = 0
            put(nodeID, 5)
            put(targetNodeID, 9)
            put(sequence, 13)
            put(tokenSequence, 17)
            put(allReceivedUpTo, 21)
            put(allReceivedUpToAddress, 25)
            put(representative, 29)
            put(ringSequence, 33)
            put(backlog, 41)
            put(flowControlCount, 45)
            put(retransmitFlag, 49)
            put(Int32(0), 53)
            return Self.size
        }
    }

    static func run(_ report: inout Report) {
        var datagram = [UInt8](repeating: 0, count: PlainToken.size)
        _ = datagram.withUnsafeMutableBytes { PlainToken().write($0) }
        var ring = DatagramRing(datagram, differingAt: 17)
        let count = 1_000_000

        ring.withDatagrams { all, range in
            let plain = Measurement.of(count) { run in
                guard let token = PlainToken(UnsafeRawBufferPointer(rebasing: all[range(run)])) else { return 0 }
                return UInt64(token.tokenSequence) &+ UInt64(token.sequence) &+ token.ringSequence
            }
            let visited = Measurement.of(count) { run in
                guard let token = try? OrfToken<Corosync3>(reading: UnsafeRawBufferPointer(rebasing: all[range(run)])) else { return 0 }
                return UInt64(token.tokenSequence) &+ UInt64(token.sequence) &+ token.ring.sequence
            }
            report.compare("read token", visitor: visited, plain: plain)
        }
        ring.withDatagrams { all, range in
            var token = PlainToken()
            let plain = Measurement.of(count) { run in
                token.tokenSequence = UInt32(truncatingIfNeeded: run)
                return UInt64(token.write(UnsafeMutableRawBufferPointer(rebasing: all[range(run)])))
            }
            guard var message = try? OrfToken<Corosync3>(reading: UnsafeRawBufferPointer(rebasing: all[range(0)])) else {
                return report.fail("the hand-written token cannot be read")
            }
            let visited = Measurement.of(count) { run in
                message.tokenSequence = UInt32(truncatingIfNeeded: run)
                var writer = WireWriter(UnsafeMutableRawBufferPointer(rebasing: all[range(run)]))
                guard (try? message.visit(&writer)) != nil else { return 0 }
                return UInt64(writer.offset)
            }
            report.compare("write token", visitor: visited, plain: plain)
        }
    }
}
