import Foundation

/// Key files, as the daemons' key generators write them.
public enum SecurityKeyFile {
    /// A key as it was read.
    public struct Loaded: Sendable {
        /// The key.
        public let key: SecurityKey
        /// What is odd about it: a size that some generations refuse.
        public let warnings: [String]
    }

    /// Why a key file cannot be used. Its description is one line and tells nothing of the key.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// The file, as the caller named it.
        public let path: String
        /// What is wrong with it.
        public let reason: String

        public var description: String { "\(path): \(reason)" }
    }

    /// No daemon reads longer files; a longer one is something else.
    public static let sizeLimit = KeyMaterial.knetKeyMaximum

    /// From one folder so many keys are taken: each of them costs time for every packet that fits none.
    static let folderLimit = 256

    /// Reads the key file `path` to look at packets; the key is called after the file. Who may read the file is not looked at.
    public static func load(path: String) throws(Failure) -> Loaded {
        let (bytes, _) = try contents(of: path)
        let key = SecurityKey(name: path, bytes: bytes, isFromFile: true)
        return Loaded(key: key, warnings: warnings(about: key).map { "\(path): \($0)" })
    }

    /// Reads the key file `path` to take part in a cluster with it. `EnvelopeSealer` refuses it when it is too short.
    ///
    /// The daemons write their key file for its owner alone (0400, corosync-keygen.c:113@fl) and then look at nothing. Here a file that
    /// others may write is refused, because who can write it chooses the key; one that others may read is used with a warning.
    public static func loadForUse(path: String) throws(Failure) -> Loaded {
        let (bytes, mode) = try contents(of: path)
        let permissions = "has the permissions 0" + String(mode & 0o777, radix: 8)
        guard mode & 0o022 == 0 else {
            throw Failure(path: path, reason: "\(permissions): others may change the key; run chmod 0400 on it")
        }
        let key = SecurityKey(name: path, bytes: bytes, isFromFile: true)
        let isOpen = mode & 0o044 != 0
        return Loaded(key: key, warnings: isOpen ? ["\(path): \(permissions): others may read the key; run chmod 0400 on it"] : [])
    }

    /// Reads every regular file of the folder `path`, in the order of their names. A file that cannot be a key is left out and told.
    public static func loadFolder(path: String) throws(Failure) -> (keys: [SecurityKey], warnings: [String]) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw Failure(path: path, reason: "cannot be read as a folder")
        }
        var keys: [SecurityKey] = []
        var warnings: [String] = []
        for name in names where !name.hasPrefix(".") {
            let file = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
            guard isRegularFile(file) else { continue }
            guard keys.count < folderLimit else {
                warnings.append("\(path): has more than \(folderLimit) key files; \(name) and what comes after it are left out")
                break
            }
            do throws(Failure) {
                let loaded = try load(path: file)
                keys.append(loaded.key)
                warnings += loaded.warnings
            } catch {
                warnings.append(error.description)
            }
        }
        return (keys, warnings)
    }

    /// What a key of this size cannot be used for (reference/totem-wire.md 2; totemconfig.c:1509@ne; libknet.h:777@kn).
    private static func warnings(about key: SecurityKey) -> [String] {
        switch key.bytes.count {
        case 0: ["is empty: the key of the first cman on Totem, which is tried anyway"]
        case KeyMaterial.daemonKeySize: []
        case ..<KeyMaterial.daemonKeySize:
            ["has \(key.bytes.count) bytes; openais and corosync 1 and 2 want \(KeyMaterial.daemonKeySize), knet at least as many"]
        // corosync 2 and 1 read the first 128 bytes and are content.
        default: []
        }
    }

    private static func isRegularFile(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
    }

    /// What is in the file, and who may do what with it.
    private static func contents(of path: String) throws(Failure) -> (bytes: [UInt8], mode: mode_t) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw Failure(path: path, reason: "is no regular file")
        }
        // One byte more than the limit shows that there is more.
        var buffer = [UInt8](repeating: 0, count: sizeLimit + 1)
        var count = 0
        while count < buffer.count {
            let result = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count) }
            guard result >= 0 else { throw Failure(path: path, reason: String(cString: strerror(errno))) }
            if result == 0 { break }
            count += result
        }
        guard count <= sizeLimit else { throw Failure(path: path, reason: "is longer than \(sizeLimit) bytes and no key file") }
        return (Array(buffer[..<count]), information.st_mode)
    }
}
