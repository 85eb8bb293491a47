import Foundation

/// The program under test.
enum Ringbridge {
    /// Its path; it is built beside these tests, unless the variable RINGBRIDGE names another.
    static let program: String = {
        if let other = ProcessInfo.processInfo.environment["RINGBRIDGE"] { return other }
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
        return FileManager.default.isExecutableFile(atPath: tests + "/ringbridge") ? tests + "/ringbridge" : buildFolder + "/ringbridge"
    }()

    private static let buildFolder: String = {
        #if DEBUG
            let configuration = "debug"
        #else
            let configuration = "release"
        #endif
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
            + "/.build/\(configuration)"
    }()

    /// Runs it to its end and gives what it printed.
    static func run(_ arguments: [String]) throws -> String { try InteropTests.run([program] + arguments) }
}
