import CZlib
import Captures
import Glibc

/// Finds the recorded captures of the repository for tests. Names are paths below `captures/` without `.gz`,
/// e.g. `cman/02-join3-k.pcap` or `corosync/3.1.7-udp-form.truth.txt`.
public enum CaptureSupport {
    /// The folder `captures/` of this checkout.
    public static let folder: String = {
        let file = String(describing: #filePath)
        let root = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return root.joined(separator: "/") + "/captures"
    }()

    /// The names of all captures that begin with `prefix`, e.g. `cman/` or `corosync/3.1.7-udp`, in order.
    public static func captureNames(prefix: String) -> [String] {
        names(prefix: prefix).filter { $0.hasSuffix(".pcap") }
    }

    /// The path of the file `name`. Packets and texts are compressed and may also be given with their `.gz`; the rest is as it is.
    public static func path(of name: String) -> String {
        name.hasSuffix(".pcap") || name.hasSuffix(".txt") ? "\(folder)/\(name).gz" : "\(folder)/\(name)"
    }

    /// The text file `name`, inflated.
    public static func text(of name: String) throws(CaptureError) -> String {
        let path = path(of: name)
        guard let file = gzopen(path, "r") else { throw CaptureError(path: path, reason: String(cString: strerror(errno))) }
        defer { gzclose(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = gzread(file, &chunk, UInt32(chunk.count))
            guard count >= 0 else { throw CaptureError(path: path, reason: "cannot be inflated") }
            if count == 0 { break }
            content.append(contentsOf: chunk[..<Int(count)])
        }
        return String(decoding: content, as: UTF8.self)
    }

    /// `bytes`, compressed as a knet sender does it that compresses with zlib (compress2, compress_zlib.c@kn).
    public static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var count = compressBound(UInt(bytes.count))
        var result = [UInt8](repeating: 0, count: Int(count))
        guard compress2(&result, &count, bytes, UInt(bytes.count), 6) == Z_OK else { return [] }
        return Array(result[..<Int(count)])
    }

    /// All whole UDP datagrams of the capture `name`.
    public static func datagrams(of name: String) throws(CaptureError) -> [CapturedDatagram] {
        try CaptureFile.datagrams(atPath: path(of: name))
    }

    private static func names(prefix: String) -> [String] {
        let family = prefix.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        guard let directory = opendir("\(folder)/\(family)") else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let file = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            let name = family.isEmpty ? file : "\(family)/\(file)"
            if name.hasPrefix(prefix), name.hasSuffix(".gz") { names.append(String(name.dropLast(3))) }
        }
        return names.sorted()
    }
}
