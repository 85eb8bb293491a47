import EngineKit
import Testing
import WireFormat

@testable import BridgeRuntime

@Suite struct EventLoopTests {
    /// Sends itself a datagram at each of its deadlines and ends when it has heard all of them.
    struct Echo: LoopParticipant, ~Copyable {
        let socket: DatagramSocket
        var deadlines: [Instant]
        var batch = ReceiveBatch(capacity: 4, size: 64)
        var heard: [String] = []
        var advancedBeforeDeadline = 0

        var nextDeadline: Instant? { deadlines.first }
        var isFinished: Bool { heard.count == 3 }

        mutating func ready(_ token: EventLoop.Token, at now: Instant) {
            #expect(token.rawValue == 7)
            batch.receive(from: socket)
            for index in 0..<batch.count { heard.append(String(decoding: batch.bytes(index), as: UTF8.self)) }
        }

        mutating func advance(to now: Instant) {
            guard let deadline = deadlines.first else { return }
            guard deadline <= now else {
                advancedBeforeDeadline += 1
                return
            }
            deadlines.removeFirst()
            _ = SocketTests.send("\(deadlines.count)", from: socket, to: socket.local)
        }

        mutating func stopRequested(at now: Instant) {}
    }

    @Test func deadlinesExpireInOrderAndReadinessIsReported() throws {
        let loop = try EventLoop(handlingSignals: false)
        let socket = try DatagramSocket(bindingTo: Endpoint(SocketTests.loopback(20), 0), role: .node)
        try loop.registry.watch(socket.descriptor, as: EventLoop.Token(rawValue: 7))
        let start = MonotonicClock.now()
        var echo = Echo(socket: socket, deadlines: [5, 15, 20].map { start + .milliseconds($0) })
        try loop.run(&echo)
        #expect(echo.heard == ["2", "1", "0"])
        #expect(MonotonicClock.now() - start >= .milliseconds(20))
        // Readiness may wake the loop between deadlines, but a timer never fires early.
        #expect(echo.advancedBeforeDeadline <= 3)
    }

    /// Reads one datagram at a time and is finished when its timer expires.
    struct Watchdog: LoopParticipant, ~Copyable {
        let socket: DatagramSocket
        var batch = ReceiveBatch(capacity: 1, size: 64)
        var heard = 0
        var nextDeadline: Instant? = .zero
        var isFinished: Bool { nextDeadline == nil }

        mutating func ready(_ token: EventLoop.Token, at now: Instant) { heard += batch.receive(from: socket) }

        mutating func advance(to now: Instant) { nextDeadline = nil }

        mutating func stopRequested(at now: Instant) {}
    }

    @Test func whatWaitsIsReadBeforeATimerExpires() throws {
        let loop = try EventLoop(handlingSignals: false)
        let socket = try DatagramSocket(bindingTo: Endpoint(SocketTests.loopback(21), 0), role: .node)
        try loop.registry.watch(socket.descriptor, as: EventLoop.Token(rawValue: 7))
        for _ in 0..<5 { _ = SocketTests.send("x", from: socket, to: socket.local) }
        var watchdog = Watchdog(socket: socket)
        try loop.run(&watchdog)
        #expect(watchdog.heard == 5)
    }
}
