import WireFormat

/// A datagram of the single ring protocol: one message, in the sender's byte order, and what may follow it. It is read from the bytes
/// inside a security envelope.
public struct TotemPacket<Dialect: TotemDialect>: Sendable, Equatable {
    /// The message.
    public var message: TotemMessage<Dialect>
    /// The sender's byte order.
    public var byteOrder: ByteOrder
    /// Bytes behind the message; receivers ignore them (reference/totem-wire.md 4.7), empty in packets of the daemons.
    public var trailing: ByteRange

    /// Reads `datagram`, and refuses what a daemon refuses: another magic or version, an unknown type, a count above its limit, a
    /// packet that is shorter than its counts say (reference/totem-wire.md 4.7). The error names field and offset.
    public init(reading datagram: UnsafeRawBufferPointer) throws(WireError) {
        let (kind, byteOrder) = try Self.identify(datagram)
        var reader = WireReader(datagram, byteOrder: byteOrder)
        var message = TotemMessage<Dialect>(kind)
        try message.visit(&reader)
        if kind == .token, datagram.count > Dialect.tokenSizeLimit {
            throw WireError(
                .outOfBounds(value: datagram.count, limit: Dialect.tokenSizeLimit),
                field: "rtr_list",
                offset: Dialect.tokenSizeLimit
            )
        }
        self.message = message
        self.byteOrder = byteOrder
        trailing = ByteRange(start: reader.offset, count: reader.remaining)
    }

    /// Which message `datagram` holds and in which byte order, from the common header alone.
    @inlinable
    public static func identify(_ datagram: UnsafeRawBufferPointer) throws(WireError) -> (TotemMessageKind, ByteOrder) {
        // A datagram without the dialect's mark is read as little-endian, so that the error names the field that is wrong.
        let byteOrder = Dialect.byteOrder(of: datagram) ?? .little
        let header = try Dialect.Header(reading: datagram, byteOrder: byteOrder)
        guard let kind = TotemMessageKind(rawValue: header.type) else {
            throw WireError(.invalidValue(UInt64(UInt8(bitPattern: header.type))), field: "type", offset: Dialect.typeOffset)
        }
        return (kind, byteOrder)
    }

    /// The packet's bytes; payload and trailing bytes are taken from `datagram`, from which it was read.
    public func bytes(of datagram: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        var copy = message
        let payload: ByteRange = if case .mcast(let mcast) = message { mcast.payload } else { ByteRange() }
        var output = [UInt8](repeating: 0, count: datagram.count + 65_536)
        var failure: WireError?
        let count = output.withUnsafeMutableBytes { buffer -> Int in
            var writer = WireWriter(buffer, byteOrder: byteOrder)
            do throws(WireError) {
                try copy.visit(&writer)
                try writer.append(datagram[payload.range])
                try writer.append(datagram[trailing.range])
            } catch {
                failure = error
            }
            return writer.offset
        }
        if let failure { throw failure }
        output.removeLast(output.count - count)
        return output
    }
}
