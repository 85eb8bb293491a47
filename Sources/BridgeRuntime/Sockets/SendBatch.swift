import CLinuxNet
import Glibc
import WireFormat

/// Datagrams that are about to leave through one socket, in order. The memory is reused.
public struct SendBatch: ~Copyable {
    private let datagrams: UnsafeMutableBufferPointer<linuxnet_datagram>
    private let store: UnsafeMutableBufferPointer<UInt8>
    private var count = 0
    private var used = 0
    /// Whether what was added last is here, to be repeated.
    private var hasLast = false

    /// Datagrams that the kernel took.
    public private(set) var sent: UInt64 = 0
    /// Datagrams that the kernel refused: lost, as on any network; the protocols repeat what matters.
    public private(set) var failed: UInt64 = 0
    /// The errno of the last refusal.
    public private(set) var lastError: Int32 = 0

    /// Room for 64 datagrams and `capacity` bytes, at least one largest datagram.
    public init(capacity: Int = 262_144) {
        store = .allocate(capacity: max(capacity, 65_536))
        store.initialize(repeating: 0)
        datagrams = .allocate(capacity: Int(LINUXNET_BATCH))
        datagrams.initialize(repeating: linuxnet_datagram())
    }

    deinit {
        datagrams.deallocate()
        store.deallocate()
    }

    /// Adds a copy of `bytes` for `target`; what is in the way leaves through `socket` first.
    public mutating func add(_ bytes: UnsafeRawBufferPointer, to target: Endpoint, through socket: DatagramSocket) {
        if count == datagrams.count || used + bytes.count > store.count { flush(through: socket) }
        guard bytes.count <= store.count, let start = store.baseAddress.map({ $0 + used }) else {
            failed += 1
            lastError = EMSGSIZE
            hasLast = false
            return
        }
        UnsafeMutableRawBufferPointer(start: start, count: bytes.count).copyMemory(from: bytes)
        datagrams[count].bytes = start
        datagrams[count].count = UInt32(bytes.count)
        datagrams[count].address = linuxnet_address(target.address)
        datagrams[count].port = target.port
        count += 1
        used += bytes.count
        hasLast = true
    }

    /// Sends what was added last, before the next `flush`, to one more target: the bytes are stored once.
    public mutating func repeatLast(to target: Endpoint, through socket: DatagramSocket) {
        guard hasLast else { return }
        let last = datagrams[count - 1]
        if count == datagrams.count {
            flush(through: socket)
            // They still lie where they lay.
            used = last.bytes.map { $0 - (store.baseAddress ?? $0) + Int(last.count) } ?? 0
            hasLast = true
        }
        datagrams[count] = last
        datagrams[count].address = linuxnet_address(target.address)
        datagrams[count].port = target.port
        count += 1
    }

    /// Sends everything.
    public mutating func flush(through socket: DatagramSocket) {
        var next = 0
        while next < count {
            let result = linuxnet_send(socket.descriptor.number, datagrams.baseAddress.map { $0 + next }, Int32(count - next))
            if result > 0 {
                next += Int(result)
                sent += UInt64(result)
            } else if -result != EINTR {
                lastError = -result
                failed += 1
                next += 1
            }
        }
        count = 0
        used = 0
        hasLast = false
    }
}
