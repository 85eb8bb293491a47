import Glibc

/// The bytes of a capture file from its beginning to its end, inflated where it is gzip'd. Whoever reads it sees a window of bytes that
/// moves on, so that memory does not depend on the size of the file. Pipes hand on what they have without waiting for more.
final class CaptureStream {
    /// How the file is called in errors.
    let name: String
    /// Whether bytes may take time to come: not a regular file.
    let mayWait: Bool
    /// Bytes of the file itself, where that is known.
    let fileSize: Int?

    private let descriptor: Int32
    private var inflater: Inflater?
    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    /// Bytes that were dropped from the front of `buffer`.
    private var dropped = 0
    /// Bytes that were read from the file itself.
    private(set) var fileOffset = 0

    /// What is held at first. It grows up to what the longest record needs.
    private static let pieceSize = 1 << 17

    /// Opens the file `path`; `-` is the standard input.
    init(path: String) throws(CaptureError) {
        let isStandardInput = path == "-"
        name = isStandardInput ? "standard input" : path
        descriptor = isStandardInput ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CaptureError(path: name, reason: String(cString: strerror(errno))) }
        var status = stat()
        let isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        mayWait = !isRegular
        fileSize = isRegular ? Int(status.st_size) : nil
        buffer = .allocate(byteCount: Self.pieceSize, alignment: 16)
        if try hold(2), bytes(2).elementsEqual(Inflater.magic) {
            inflater = try Inflater(name: name, beginning: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
            end = start
        }
    }

    deinit {
        buffer.deallocate()
        close(descriptor)
    }

    /// Bytes before the place that comes next.
    var offset: Int { dropped + start }
    /// Bytes that are there without reading on.
    var held: Int { end - start }

    /// Makes the next `count` bytes available; false when the file ends before them.
    @inline(__always)
    func hold(_ count: Int) throws(CaptureError) -> Bool {
        held >= count ? true : try fillUp(to: count)
    }

    @inline(never)
    private func fillUp(to count: Int) throws(CaptureError) -> Bool {
        while held < count {
            guard try fill(for: count) else { return false }
        }
        return true
    }

    /// The next `count` bytes, which are held. They are valid until `hold` or `skip` is called.
    @inline(__always)
    func bytes(_ count: Int) -> UnsafeRawBufferPointer {
        precondition(count >= 0 && count <= held)
        return UnsafeRawBufferPointer(start: buffer.baseAddress.map { $0 + start }, count: count)
    }

    /// Goes on behind `count` bytes that are held. Their memory stays valid until `hold` or `skip` is called.
    func advance(_ count: Int) {
        start += count
    }

    /// Goes on behind `count` bytes; false when the file ends before.
    func skip(_ count: Int) throws(CaptureError) -> Bool {
        var rest = count
        while rest > held {
            rest -= held
            start = end
            guard try fill(for: 1) else { return false }
        }
        start += rest
        return true
    }

    /// Reads on; false at the end of the file.
    private func fill(for count: Int) throws(CaptureError) -> Bool {
        makeRoom(for: count)
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[end...])
        let added =
            if let inflater {
                try inflater.inflate(into: room) { (input) throws(CaptureError) in try readFile(into: input) }
            } else {
                try readFile(into: room)
            }
        end += added
        return added > 0
    }

    private func makeRoom(for count: Int) {
        guard start > 0 || count > buffer.count else { return }
        let held = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
        if count > buffer.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: count + Self.pieceSize, alignment: 16)
            larger.copyMemory(from: held)
            buffer.deallocate()
            buffer = larger
        } else {
            buffer.copyMemory(from: held)
        }
        dropped += start
        end -= start
        start = 0
    }

    private func readFile(into room: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
        while true {
            let count = read(descriptor, room.baseAddress, room.count)
            if count >= 0 {
                fileOffset += count
                return count
            }
            guard errno == EINTR else { throw CaptureError(path: name, reason: String(cString: strerror(errno))) }
        }
    }
}
