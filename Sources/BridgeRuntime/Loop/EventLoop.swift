import CLinuxNet
import EngineKit
import Glibc

/// What an event loop runs: readiness and time in; the rest is its own affair.
///
/// The loop calls everything from its one thread, so a participant needs no lock. `advance` follows every batch of readiness.
public protocol LoopParticipant: ~Copyable {
    /// When `advance` must be called next; nil while nothing is due.
    var nextDeadline: Instant? { get }

    /// Set when the loop shall end.
    var isFinished: Bool { get }

    /// The descriptor that was watched under `token` can be read.
    mutating func ready(_ token: EventLoop.Token, at now: Instant)

    /// Lets everything that is due at `now` happen.
    mutating func advance(to now: Instant)

    /// SIGTERM, SIGINT or SIGHUP arrived: begin an orderly end.
    mutating func stopRequested(at now: Instant)
}

/// One thread around epoll and a timer.
///
/// A steady state allocates nothing: readiness comes in a reused buffer, and the timer is the timeout of the wait itself.
public final class EventLoop {
    /// Names a watched descriptor; the participant chooses the number.
    public struct Token: RawRepresentable, Hashable, Sendable {
        /// The participant's number.
        public let rawValue: UInt64

        /// The token with the number `rawValue`.
        public init(rawValue: UInt64) {
            self.rawValue = rawValue
        }

        static var signals: Token { Token(rawValue: .max) }
    }

    /// Where descriptors are registered; held by participants too, which come to watch sockets while the loop runs.
    public struct Registry: Sendable {
        fileprivate let epoll: Int32

        /// Reports `descriptor` as ready to be read under `token` until it is closed or forgotten.
        public func watch(_ descriptor: borrowing FileDescriptor, as token: Token) throws(SystemCallError) {
            try SystemCallError.check(linuxnet_epoll_add(epoll, descriptor.number, token.rawValue, 0), "watch a descriptor")
        }

        /// Reports the process's input as ready under `token`; false when it is something that epoll does not take, a file.
        func watchStandardInput(as token: Token) -> Bool {
            linuxnet_epoll_add(epoll, STDIN_FILENO, token.rawValue, 0) == 0
        }

        /// Stops reporting the process's input.
        func forgetStandardInput() {
            _ = linuxnet_epoll_remove(epoll, STDIN_FILENO)
        }

        /// Stops reporting `descriptor`.
        public func forget(_ descriptor: borrowing FileDescriptor) {
            // One that is not watched is forgotten already.
            _ = linuxnet_epoll_remove(epoll, descriptor.number)
        }
    }

    private let epoll: FileDescriptor
    private let signals: SignalWatch?
    private var tokens = [UInt64](repeating: 0, count: Int(LINUXNET_BATCH))

    /// A loop that watches nothing yet. With `handlingSignals` the process's SIGTERM, SIGINT and SIGHUP come to the participant; they
    /// and SIGPIPE no longer have their usual effect.
    public init(handlingSignals: Bool) throws(SystemCallError) {
        epoll = FileDescriptor(owning: try SystemCallError.check(linuxnet_epoll_open(), "open epoll"))
        signals = handlingSignals ? try SignalWatch() : nil
        if let signals { try registry.watch(signals.descriptor, as: .signals) }
    }

    /// Where descriptors are registered.
    public var registry: Registry { Registry(epoll: epoll.number) }

    /// Runs `participant` until it is finished.
    public func run<Participant: LoopParticipant & ~Copyable>(_ participant: inout Participant) throws(SystemCallError) {
        while !participant.isFinished {
            report(try wait(until: participant.nextDeadline), to: &participant)
            try readBeforeTimers(&participant)
            participant.advance(to: MonotonicClock.now())
        }
    }

    /// Hands over all that waits to be read when a timer is due. A process that was stopped or starved finds its timers due and what
    /// would have kept them from expiring unread; acting upon the timers first would take living peers for dead.
    private func readBeforeTimers<Participant: LoopParticipant & ~Copyable>(_ participant: inout Participant) throws(SystemCallError) {
        // Bounded, because senders could keep it up for ever.
        for _ in 0..<Self.readsBeforeTimers where !participant.isFinished {
            guard let deadline = participant.nextDeadline, deadline <= MonotonicClock.now() else { return }
            let count = try wait(until: .zero)
            guard count > 0 else { return }
            report(count, to: &participant)
        }
    }

    private static var readsBeforeTimers: Int { 64 }

    private func report<Participant: LoopParticipant & ~Copyable>(_ count: Int, to participant: inout Participant) {
        let now = MonotonicClock.now()
        for index in 0..<count {
            let token = Token(rawValue: tokens[index])
            if token == .signals {
                if signals?.take() == true { participant.stopRequested(at: now) }
            } else {
                participant.ready(token, at: now)
            }
        }
    }

    private func wait(until deadline: Instant?) throws(SystemCallError) -> Int {
        let span = deadline.map { max(0, ($0 - MonotonicClock.now()).nanoseconds) } ?? -1
        let capacity = Int32(tokens.count)
        return Int(try SystemCallError.check(linuxnet_epoll_wait(epoll.number, &tokens, capacity, span), "wait for epoll"))
    }
}

/// SIGTERM, SIGINT and SIGHUP as something to read.
private final class SignalWatch: Sendable {
    let descriptor: FileDescriptor

    init() throws(SystemCallError) {
        descriptor = FileDescriptor(owning: try SystemCallError.check(linuxnet_signals_open(), "open a signal descriptor"))
    }

    func take() -> Bool { linuxnet_signals_read(descriptor.number) > 0 }
}
