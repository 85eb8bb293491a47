import CaptureSupport
import Foundation
import Testing

@testable import TotemSecurity

@Suite struct KeyFiles {
    /// Runs `body` with a folder of its own, which is removed afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ringbridge-keys-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func write(_ count: Int, to path: String) throws {
        try Data(repeating: 0x5A, count: count).write(to: URL(fileURLWithPath: path))
    }

    private func failure(_ path: String) -> String? {
        do throws(SecurityKeyFile.Failure) {
            _ = try SecurityKeyFile.load(path: path)
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: [("corosync/keys/authkey-256.bin", 256), ("openais/wt-f5586a7-secauth-form3.authkey", 128)])
    func recordedKeysAreReadWithoutAWarning(file: String, count: Int) throws {
        let path = CaptureSupport.path(of: file)
        let loaded = try SecurityKeyFile.load(path: path)
        #expect(loaded.key.bytes.count == count && loaded.key.name == path && loaded.warnings.isEmpty)
    }

    @Test func oddSizesAreTold() throws {
        try withFolder { folder in
            let path = "\(folder)/key"
            try write(0, to: path)
            #expect(try SecurityKeyFile.load(path: path).warnings.first?.hasPrefix("\(path): is empty") == true)
            try write(127, to: path)
            #expect(try SecurityKeyFile.load(path: path).warnings.first?.hasPrefix("\(path): has 127 bytes") == true)
            try write(4096, to: path)
            #expect(try SecurityKeyFile.load(path: path).warnings.isEmpty)
            try write(4097, to: path)
            #expect(failure(path) == "\(path): is longer than 4096 bytes and no key file")
        }
    }

    /// Who can write a key file chooses the key.
    @Test(arguments: [(0o400, "used"), (0o600, "used"), (0o440, "warned"), (0o644, "warned"), (0o620, "refused"), (0o602, "refused")])
    func whoMayReadAKeyInUse(mode: Int, outcome: String) throws {
        try withFolder { folder in
            let path = "\(folder)/key"
            try write(128, to: path)
            #expect(chmod(path, mode_t(mode)) == 0)
            do throws(SecurityKeyFile.Failure) {
                let loaded = try SecurityKeyFile.loadForUse(path: path)
                #expect(loaded.key.isFromFile && loaded.key.bytes.count == 128)
                let advice = "others may read the key; run chmod 0400 on it"
                #expect(
                    loaded.warnings == (outcome == "warned" ? ["\(path): has the permissions 0\(String(mode, radix: 8)): \(advice)"] : [])
                )
                #expect(outcome != "refused")
            } catch {
                #expect(outcome == "refused" && error.reason.contains("others may change the key"))
            }
        }
    }

    @Test func whatIsNoFileIsToldInOneLine() throws {
        try withFolder { folder in
            #expect(failure("\(folder)/none") == "\(folder)/none: No such file or directory")
            #expect(failure(folder) == "\(folder): is no regular file")
            // A pipe would be waited for.
            let pipe = "\(folder)/pipe"
            #expect(mkfifo(pipe, 0o600) == 0)
            #expect(failure(pipe) == "\(pipe): is no regular file")
        }
    }

    @Test func aFolderGivesItsRegularFiles() throws {
        try withFolder { folder in
            try write(128, to: "\(folder)/b")
            try write(12, to: "\(folder)/a")
            try write(128, to: "\(folder)/.hidden")
            try write(5000, to: "\(folder)/c")
            try FileManager.default.createDirectory(atPath: "\(folder)/d", withIntermediateDirectories: true)
            let loaded = try SecurityKeyFile.loadFolder(path: folder)
            #expect(loaded.keys.map(\.name) == ["\(folder)/a", "\(folder)/b"])
            #expect(loaded.warnings.count == 2)
            #expect(throws: SecurityKeyFile.Failure(path: "\(folder)/none", reason: "cannot be read as a folder")) {
                try SecurityKeyFile.loadFolder(path: "\(folder)/none")
            }
        }
    }
}
