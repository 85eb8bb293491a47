import CaptureSupport
import Dissection
import Glibc
import Testing
import TotemSecurity

/// A recording of Totem, and what its name says of it (captures/openais/README.md, captures/corosync/README.md).
struct TotemCapture: CustomTestStringConvertible, Sendable {
    var name: String

    var testDescription: String { name }

    static let all = (CaptureSupport.captureNames(prefix: "openais/") + CaptureSupport.captureNames(prefix: "corosync/")).map(Self.init)

    private func contains(_ parts: [String]) -> Bool { parts.contains { name.contains($0) } }

    /// The dialect of what comes from `source`.
    func dialect(of source: String?) -> Dialect {
        if contains(["/cman0-"]) { return .totem2005 }
        // In the mixed rings node 3 alone is of the newer generation.
        if contains(["/mixed-"]) { return source?.hasPrefix("10.77.4.3:") == true ? .corosync1 : .openais080 }
        if contains(["/wt-", "/cman2-"]) { return .openais080 }
        if contains(["/cman3-", "/flatiron"]) { return .corosync1 }
        return contains(["/needle"]) ? .corosync2 : .corosync3
    }

    /// Whether the security envelope of its packets needs a key. The first cman's key is the empty one.
    var isProtected: Bool { contains(["secauth", "sober", "nss", "aes256", "sha256"]) }

    /// Whether its packets are in a security envelope; those of corosync 2 always are.
    var hasEnvelope: Bool { isProtected || contains(["/cman0-", "/needle"]) }

    var isKnet: Bool { contains(["knet"]) }

    /// Whether openais 0.80 and corosync 1 write the very same bytes.
    var isAmbiguous: Bool { !hasEnvelope && contains(["openais/", "/flatiron"]) }

    /// All keys of the recordings, for one of which they are tried.
    static let keys: [SecurityKey] = {
        let files =
            ["authkey-256.bin", "authkey14-127ascii-nul.bin", "authkey14-128ascii.bin"].map { "corosync/keys/\($0)" }
            + [
                "cman2-02a34df25-secauth-join3", "cman2-02a34df25-secauth-keyfile", "wt-f5586a7-secauth-cpg", "wt-f5586a7-secauth-form3",
            ].map { "openais/\($0).authkey" }
        return files.map { SecurityKey(name: $0, bytes: bytes(of: "\(CaptureSupport.folder)/\($0)")) }
    }()

    private static func bytes(of path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes[..<count])
    }

    /// The packets with the keys that they need.
    func source() throws -> FrameSource {
        var source = try FrameSource(name)
        if isProtected { source.keys = Self.keys }
        return source
    }

    /// How many frames there are of each message, and of all, by the table of the captures' page, which another program made. Nil for
    /// messages that it could not read.
    func recordedCounts() throws -> (counts: [String: Int]?, total: Int) {
        let parts = name.split(separator: "/")
        let page = try CaptureSupport.text(of: "\(parts[0])/README.md")
        guard let line = page.split(separator: "\n").first(where: { $0.hasPrefix("| \(parts[1]) |") }) else { return (nil, 0) }
        let columns = line.split(separator: "|").map { $0.drop { $0 == " " } }
        let isOpenais = parts[0] == "openais"
        let total = Int(columns[isOpenais ? 3 : 8].prefix { $0.isNumber }) ?? 0
        // Behind `//` stands what the mcasts carry.
        let messages = columns[isOpenais ? 4 : 7].split(separator: "//", maxSplits: 1)[0]
        // The tests of rings were counted as encrypted.
        let isReadable = !isProtected || contains(["none-sha256"])
        // A message of several fragments has its name where the last of them is, not the first.
        let names = messages.lowercased().replacing("knet-data/fragment(2..n)", with: "data").replacing("knet-data/", with: "")
            .replacing("mcast[frag1]", with: "mcast").replacing("knet-", with: "")
        return (isReadable && !contains(["/cman0-"]) ? MessageCountTests.counts(Substring(names)) : nil, total)
    }

    /// How many messages above totempg there are, by the same table; nil where it does not tell. Of services whose functions have names
    /// here the names count, of others the service.
    func recordedMessages() throws -> [String: Int]? {
        guard name.hasPrefix("openais/") else { return nil }
        let file = name.split(separator: "/")[1]
        let page = try CaptureSupport.text(of: "openais/README.md")
        guard let line = page.split(separator: "\n").first(where: { $0.hasPrefix("| \(file) |") }) else { return nil }
        let parts = line.split(separator: "//")
        guard parts.count == 2 else { return nil }
        var counts: [String: Int] = [:]
        for part in parts[1].split(separator: "|")[0].split(separator: ",") where !part.contains("(") {
            let words = part.split(separator: " ").map { $0.lowercased() }
            guard let count = words.last.flatMap({ Int($0) }) else { continue }
            counts[Self.messageName(words), default: 0] += count
        }
        return counts
    }

    /// E.g. of `a/CPG fn 3 9`, `CMAN/TRANSITION 5`, `sync/barrier 30` or `group 'syncv2' 10`, without the count.
    private static func messageName(_ words: [String]) -> String {
        if words[0] == "group" { return "syncv2" }
        let path = words[0].split(separator: "/")
        guard path[0] == "a" else { return path.joined(separator: ".") }
        let functions = ["procjoin", "procleave", "joinlist", "mcast", "downlist-old", "downlist"]
        if path[1] == "cpg", words.count > 2, let function = Int(words[2]) { return "cpg.\(functions[function])" }
        return String(path[1])
    }

    /// The name by which the table counts a message.
    static func countedName(_ message: String) -> String {
        let service = message.split(separator: ".")[0]
        return ["cpg", "cman", "sync"].contains(service) ? message : String(service)
    }
}
