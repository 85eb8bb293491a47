import CLinuxNet
import Glibc
import WireFormat

/// Reusable room for the datagrams of one read.
public struct ReceiveBatch: ~Copyable {
    private let datagrams: UnsafeMutableBufferPointer<linuxnet_datagram>
    private let store: UnsafeMutableBufferPointer<UInt8>

    /// How many datagrams the last read brought.
    public private(set) var count = 0
    /// Datagrams that did not fit; they are cut, and the engines refuse them as malformed.
    public private(set) var truncated: UInt64 = 0

    /// Room for `capacity` datagrams (at most 64) of up to `size` bytes.
    public init(capacity: Int = 32, size: Int = 65_536) {
        precondition(capacity > 0 && capacity <= Int(LINUXNET_BATCH))
        store = .allocate(capacity: capacity * size)
        store.initialize(repeating: 0)
        datagrams = .allocate(capacity: capacity)
        for index in 0..<capacity {
            var datagram = linuxnet_datagram()
            datagram.bytes = store.baseAddress.map { $0 + index * size }
            datagram.capacity = UInt32(size)
            datagrams.initializeElement(at: index, to: datagram)
        }
    }

    deinit {
        datagrams.deallocate()
        store.deallocate()
    }

    /// Whether the last read filled the batch, so that more may wait.
    public var isFull: Bool { count == datagrams.count }

    /// Reads what waits at `socket`, up to the batch's capacity; returns how many datagrams came.
    ///
    /// An error of an earlier datagram (an unreachable host) is reported by the kernel in place of a datagram; it is taken as
    /// nothing received, because the next read goes on behind it.
    @discardableResult
    public mutating func receive(from socket: DatagramSocket) -> Int {
        let result = linuxnet_receive(socket.descriptor.number, datagrams.baseAddress, Int32(datagrams.count))
        count = max(0, Int(result))
        for index in 0..<count where datagrams[index].truncated != 0 { truncated += 1 }
        return count
    }

    /// Where datagram `index` came from.
    public func source(_ index: Int) -> Endpoint {
        precondition(index < count)
        return Endpoint(datagrams[index].address.ipAddress ?? IPAddress(ipv4: 0), datagrams[index].port)
    }

    /// The bytes of datagram `index`; valid until the next read.
    public func bytes(_ index: Int) -> UnsafeRawBufferPointer {
        precondition(index < count)
        return UnsafeRawBufferPointer(start: datagrams[index].bytes, count: Int(datagrams[index].count))
    }
}
