import CmanWire
import WireFormat

/// HELLO through the visitor against the same work written by hand.
enum HelloBenchmark {
    /// What a hand-written parser takes from a HELLO.
    struct PlainHello {
        var targetPort: UInt8 = 1
        var sourcePort: UInt8 = 1
        var sequence: UInt16 = 7
        var acknowledgement: UInt16 = 0
        var cluster: UInt16 = 0x1234
        var flags: UInt32 = 0x19_0000
        var sourceID: Int32 = 3
        var targetID: Int32 = 0
        var command: UInt8 = 4
        var helloFlags: UInt8 = 2
        var members: UInt16 = 3
        var generation: UInt32 = 9

        static let size = 28

        init() {}

        @inline(never)
        init?(_ bytes: UnsafeRawBufferPointer) {
            guard bytes.count >= Self.size, bytes[0] == 1, bytes[20] == 4 else { return nil }
            targetPort = bytes[0]
            sourcePort = bytes[1]
            sequence = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            acknowledgement = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
            cluster = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
            flags = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
            sourceID = Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: Int32.self))
            targetID = Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: Int32.self))
            command = bytes[20]
            helloFlags = bytes[21]
            members = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 22, as: UInt16.self))
            generation = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self))
        }

        @inline(never)
        func write(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
            guard bytes.count >= Self.size else { return 0 }
            bytes[0] = targetPort
            bytes[1] = sourcePort
            bytes.storeBytes(of: sequence.littleEndian, toByteOffset: 2, as: UInt16.self)
            bytes.storeBytes(of: acknowledgement.littleEndian, toByteOffset: 4, as: UInt16.self)
            bytes.storeBytes(of: cluster.littleEndian, toByteOffset: 6, as: UInt16.self)
            bytes.storeBytes(of: flags.littleEndian, toByteOffset: 8, as: UInt32.self)
            bytes.storeBytes(of: sourceID.littleEndian, toByteOffset: 12, as: Int32.self)
            bytes.storeBytes(of: targetID.littleEndian, toByteOffset: 16, as: Int32.self)
            bytes[20] = command
            bytes[21] = helloFlags
            bytes.storeBytes(of: members.littleEndian, toByteOffset: 22, as: UInt16.self)
            bytes.storeBytes(of: generation.littleEndian, toByteOffset: 24, as: UInt32.self)
            return Self.size
        }
    }

    /// What reads a HELLO with the visitor: header, command, body, as an engine that expects one would.
    struct VisitedHello: WireStructure {
        var header = CmanHeader()
        var command: UInt8 = 0
        var hello = CmanHello()

        mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try header.visit(&visitor)
            try visitor.field("cmd", &command)
            try hello.visit(&visitor)
        }
    }

    static func run(_ report: inout Report) {
        var datagram = [UInt8](repeating: 0, count: PlainHello.size)
        _ = datagram.withUnsafeMutableBytes { PlainHello().write($0) }
        var ring = DatagramRing(datagram, differingAt: 24)
        let count = 1_000_000

        ring.withDatagrams { all, range in
            let plain = Measurement.of(count) { run in
                guard let hello = PlainHello(UnsafeRawBufferPointer(rebasing: all[range(run)])) else { return 0 }
                return UInt64(hello.generation) &+ UInt64(hello.sequence) &+ UInt64(hello.flags)
            }
            let visited = Measurement.of(count) { run in
                guard let message = try? VisitedHello(reading: UnsafeRawBufferPointer(rebasing: all[range(run)])) else { return 0 }
                return UInt64(message.hello.generation) &+ UInt64(message.header.sequence) &+ UInt64(message.header.flags.rawValue)
            }
            report.compare("read HELLO", visitor: visited, plain: plain)
            let packet = Measurement.of(count) { run in
                guard let packet = try? CmanPacket(reading: UnsafeRawBufferPointer(rebasing: all[range(run)])) else { return 0 }
                return UInt64(packet.header.sequence) &+ UInt64(packet.header.flags.rawValue)
            }
            report.note("read HELLO as CmanPacket", packet)
        }
        ring.withDatagrams { all, range in
            var hello = PlainHello()
            let plain = Measurement.of(count) { run in
                hello.generation = UInt32(truncatingIfNeeded: run)
                return UInt64(hello.write(UnsafeMutableRawBufferPointer(rebasing: all[range(run)])))
            }
            var message = VisitedHello()
            let visited = Measurement.of(count) { run in
                message.hello.generation = UInt32(truncatingIfNeeded: run)
                var writer = WireWriter(UnsafeMutableRawBufferPointer(rebasing: all[range(run)]))
                guard (try? message.visit(&writer)) != nil else { return 0 }
                return UInt64(writer.offset)
            }
            report.compare("write HELLO", visitor: visited, plain: plain)
        }
    }
}
