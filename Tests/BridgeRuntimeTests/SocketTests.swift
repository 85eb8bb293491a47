import EngineKit
import Testing
import WireFormat

@testable import BridgeRuntime

@Suite struct SocketTests {
    static func loopback(_ last: UInt32) -> IPAddress { IPAddress(ipv4: 0x7F01_0000 | last) }

    static func send(_ text: String, from socket: DatagramSocket, to target: Endpoint) -> SendBatch {
        var batch = SendBatch()
        Array(text.utf8).withUnsafeBytes { batch.add($0, to: target, through: socket) }
        batch.flush(through: socket)
        return batch
    }

    /// Everything that waits at `socket`, as text and source.
    static func receive(_ socket: DatagramSocket) -> [String] {
        var batch = ReceiveBatch()
        var result: [String] = []
        while batch.receive(from: socket) > 0 {
            for index in 0..<batch.count {
                result.append("\(batch.source(index)) \(String(decoding: batch.bytes(index), as: UTF8.self))")
            }
        }
        return result
    }

    @Test func aNodeSendsEverythingFromItsOwnAddress() throws {
        let interface = try NetworkInterface.holding(Self.loopback(1)).interface
        let first = try DatagramSocket.node(at: Endpoint(Self.loopback(1), 0), on: interface, hops: 1)
        let second = try DatagramSocket.node(at: Endpoint(Self.loopback(2), first.local.port), on: interface, hops: 1)
        let group = Endpoint(try interface.broadcast(), first.local.port)
        // Two processes of one host share the broadcast address.
        let hearers = try (0..<2).map { _ in try DatagramSocket.receivingGroup(group, on: interface) }
        let batch = Self.send("hello", from: first, to: group)
        #expect(batch.sent == 1)
        #expect(batch.failed == 0)
        for hearer in hearers { #expect(Self.receive(hearer) == ["\(first.local) hello"]) }
        #expect(Self.receive(second).isEmpty)
        _ = Self.send("ack", from: second, to: first.local)
        #expect(Self.receive(first) == ["\(second.local) ack"])
    }

    @Test func multicastsReachEveryGroupSocketOnTheInterface() throws {
        let interface = try NetworkInterface.holding(Self.loopback(3)).interface
        let node = try DatagramSocket.node(at: Endpoint(Self.loopback(3), 0), on: interface, hops: 1)
        let group = try #require(Endpoint("239.192.77.9:\(node.local.port)"))
        let hearers = try (0..<2).map { _ in try DatagramSocket.receivingGroup(group, on: interface) }
        _ = Self.send("join", from: node, to: group)
        for hearer in hearers { #expect(Self.receive(hearer) == ["\(node.local) join"]) }
    }

    @Test func largeBatchesArriveInOrder() throws {
        let interface = try NetworkInterface.holding(Self.loopback(4)).interface
        let sender = try DatagramSocket.node(at: Endpoint(Self.loopback(4), 0), on: interface, hops: 1)
        let receiver = try DatagramSocket.node(at: Endpoint(Self.loopback(5), 0), on: interface, hops: 1)
        var batch = SendBatch(capacity: 1000)
        for number in 0..<200 {
            Array("\(number)".utf8).withUnsafeBytes { batch.add($0, to: receiver.local, through: sender) }
        }
        batch.flush(through: sender)
        #expect(batch.sent == 200)
        #expect(Self.receive(receiver) == (0..<200).map { "\(sender.local) \($0)" })
    }

    /// More targets than one call of the system takes, and something new behind them, which must not lie in the same place.
    @Test func aDatagramIsRepeatedToEveryTarget() throws {
        let interface = try NetworkInterface.holding(Self.loopback(7)).interface
        let sender = try DatagramSocket.node(at: Endpoint(Self.loopback(7), 0), on: interface, hops: 1)
        let receivers = try (8...9).map { try DatagramSocket.node(at: Endpoint(Self.loopback($0), 0), on: interface, hops: 1) }
        var batch = SendBatch()
        for text in ["first", "second"] {
            Array(text.utf8).withUnsafeBytes { batch.add($0, to: receivers[0].local, through: sender) }
            for number in 1..<100 { batch.repeatLast(to: receivers[number % 2].local, through: sender) }
        }
        batch.flush(through: sender)
        #expect(batch.sent == 200)
        let wanted = ["first", "second"].flatMap { text in (0..<50).map { _ in "\(sender.local) \(text)" } }
        for receiver in receivers { #expect(Self.receive(receiver) == wanted) }
    }

    @Test func anAddressInUseIsAnErrorThatNamesIt() throws {
        let first = try DatagramSocket(bindingTo: Endpoint(Self.loopback(6), 0), role: .node)
        let error = #expect(throws: SystemCallError.self) { try DatagramSocket(bindingTo: first.local, role: .node) }
        #expect(error?.description == "cannot bind a UDP socket to \(first.local): Address already in use")
    }

    @Test func anAddressOfAnotherHostIsHeldNowhere() throws {
        let address = try #require(IPAddress("192.0.2.77"))
        #expect(throws: SystemCallError.self) { try NetworkInterface.holding(address) }
    }
}
