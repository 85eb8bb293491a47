import CLinuxNet
import Glibc

/// This process's end of a pipe to a child.
final class PipeEnd {
    let descriptor: FileDescriptor

    init(owning number: Int32) {
        descriptor = FileDescriptor(owning: number)
    }
}

/// A process that this one started. It is addressed by its id only, and reaped.
public final class ChildProcess {
    /// Where a standard stream of the child leads.
    public enum Stream {
        /// To the null device.
        case null
        /// To the same place as this process's.
        case inherited
        /// To the end of a file, which is made when it is not there.
        case file(String)
        /// To this process, through a pipe.
        case pipe
    }

    /// Its process id.
    public let processID: pid_t
    /// What the child reads, with `.pipe`.
    private(set) var input: PipeEnd?
    /// What the child writes to its output, with `.pipe`; non-blocking.
    let output: PipeEnd?
    private var status: Int32?

    /// Runs `executable` with `arguments` (without the program's own name).
    public init(
        _ executable: String,
        _ arguments: [String],
        input: Stream = .null,
        output: Stream = .inherited,
        error: Stream = .inherited
    ) throws(SystemCallError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The loop of this process blocks signals; a child must not inherit that, nor get this terminal's interrupts.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETPGROUP))

        let inputPipe = try Self.connect(input, to: STDIN_FILENO, &actions)
        let outputPipe = try Self.connect(output, to: STDOUT_FILENO, &actions)
        let errorPipe = try Self.connect(error, to: STDERR_FILENO, &actions)
        var pointers = ([executable] + arguments).map { strdup($0) }
        pointers.append(nil)
        var child: pid_t = 0
        let result = posix_spawn(&child, executable, &actions, &attributes, pointers, environ)
        for pointer in pointers { free(pointer) }
        for pipe in [inputPipe, outputPipe, errorPipe] {
            if let pipe { close(pipe.childEnd) }
        }
        guard result == 0 else {
            for pipe in [inputPipe, outputPipe, errorPipe] {
                if let pipe { close(pipe.ownEnd) }
            }
            throw SystemCallError("run \(executable)", code: result)
        }
        if let errorPipe { close(errorPipe.ownEnd) }
        processID = child
        self.input = inputPipe.map { PipeEnd(owning: $0.ownEnd) }
        self.output = outputPipe.map { PipeEnd(owning: $0.ownEnd) }
        if let outputPipe { _ = fcntl(outputPipe.ownEnd, F_SETFL, O_NONBLOCK) }
    }

    deinit {
        // Nobody can wait for it any more.
        if exitStatus() == nil {
            kill(processID, SIGKILL)
            waitpid(processID, nil, 0)
        }
    }

    /// Sends a signal, unless the process has ended.
    public func send(signal: Int32) {
        if exitStatus() == nil { kill(processID, signal) }
    }

    /// Closes what the child reads.
    public func closeInput() {
        input = nil
    }

    /// The exit code, or 128 and the signal that ended it; nil while it runs.
    public func exitStatus() -> Int32? {
        if let status { return status }
        var raw: Int32 = 0
        guard waitpid(processID, &raw, WNOHANG) == processID else { return nil }
        status = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + (raw & 0x7F)
        return status
    }

    private struct Pipe {
        var childEnd: Int32
        var ownEnd: Int32
    }

    private static func connect(
        _ stream: Stream,
        to target: Int32,
        _ actions: inout posix_spawn_file_actions_t
    ) throws(SystemCallError) -> Pipe? {
        switch stream {
        case .inherited: return nil
        case .null:
            posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
            return nil
        case .file(let path):
            posix_spawn_file_actions_addopen(&actions, target, path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
            return nil
        case .pipe:
            var reading: Int32 = 0
            var writing: Int32 = 0
            try SystemCallError.check(linuxnet_pipe(&reading, &writing), "make a pipe")
            let pipe = target == STDIN_FILENO ? Pipe(childEnd: reading, ownEnd: writing) : Pipe(childEnd: writing, ownEnd: reading)
            posix_spawn_file_actions_adddup2(&actions, pipe.childEnd, target)
            return pipe
        }
    }
}
