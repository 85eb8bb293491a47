import Foundation
import Synchronization

/// A program that a test started: lines go in, lines come out, and it ends with the test.
final class ChildProcess: Sendable {
    /// What the program wrote so far, line by line, and what is left of an unfinished line.
    private struct Output {
        var lines: [String] = []
        var partial: [UInt8] = []

        mutating func append(_ bytes: Data) {
            for byte in bytes {
                if byte == UInt8(ascii: "\n") {
                    lines.append(String(decoding: partial, as: UTF8.self))
                    partial.removeAll(keepingCapacity: true)
                } else {
                    partial.append(byte)
                }
            }
        }
    }

    /// What the test calls it in messages.
    let name: String

    private let process = Process()
    private let standardInput: FileHandle
    private let output = Mutex(Output())
    private let errors = Mutex(Output())

    /// Starts `arguments[0]`, found on the PATH, with the rest as its arguments.
    init(_ name: String, _ arguments: [String]) throws {
        self.name = name
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let input = Pipe()
        let output = Pipe()
        let errors = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        standardInput = input.fileHandleForWriting
        output.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            self?.output.withLock { $0.append(data) }
        }
        errors.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            self?.errors.withLock { $0.append(data) }
        }
        try process.run()
    }

    deinit {
        kill(SIGKILL)
    }

    /// Its process id.
    var identifier: Int32 { process.processIdentifier }

    /// Whether it still runs.
    var isRunning: Bool { process.isRunning }

    /// Everything it wrote to standard output.
    var lines: [String] { output.withLock { $0.lines } }

    /// What it wrote to standard output behind the first `count` lines.
    func lines(since count: Int) -> ArraySlice<String> { output.withLock { $0.lines[min(count, $0.lines.count)...] } }

    /// Everything it wrote to standard error.
    var errorLines: [String] { errors.withLock { $0.lines } }

    /// Gives it a line.
    func write(_ line: String) throws {
        try standardInput.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Sends it a signal.
    func kill(_ signal: Int32) {
        guard process.isRunning else { return }
        _ = Foundation.kill(process.processIdentifier, signal)
    }

    /// Ends it at once, and waits until it is gone.
    func killAndWait() {
        kill(SIGKILL)
        while isRunning { usleep(5000) }
    }

    /// Asks it to end, and waits; after `seconds` it is killed, and the answer is false.
    @discardableResult
    func stop(within seconds: Double = 10) -> Bool {
        kill(SIGTERM)
        if waitUntil(within: seconds, { !isRunning }) { return true }
        killAndWait()
        return false
    }
}

/// Asks `condition` every few milliseconds until it holds; false when it does not within `seconds`.
func waitUntil(within seconds: Double, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .milliseconds(Int64(seconds * 1000))
    while true {
        if try condition() { return true }
        guard ContinuousClock.now < deadline else { return false }
        usleep(20_000)
    }
}

/// A command that failed.
struct CommandError: Error, CustomStringConvertible {
    var description: String
}

/// Runs a command to its end and gives what it printed.
@discardableResult
func run(_ arguments: [String], mayFail: Bool = false) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 || mayFail else {
        throw CommandError(description: "`\(arguments.joined(separator: " "))` exited with \(process.terminationStatus): \(text)")
    }
    return text
}
