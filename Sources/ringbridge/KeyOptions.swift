import ArgumentParser
import TotemSecurity

/// The options that say with which keys encrypted packets are opened.
struct KeyOptions: ParsableArguments {
    @Option(
        name: .customLong("key"),
        help: ArgumentHelp("A key file (authkey) to try on encrypted packets; repeatable.", valueName: "file")
    )
    var files: [String] = []

    @Option(name: .customLong("key-dir"), help: ArgumentHelp("Try every file of this folder as a key; repeatable.", valueName: "folder"))
    var folders: [String] = []

    @Option(
        name: .customLong("cluster"),
        help: ArgumentHelp("Try the key that cman makes of this cluster name when it has no key file; repeatable.", valueName: "name")
    )
    var clusterNames: [String] = []

    /// All keys, in the order of the options, after what is odd about them was told on the standard error.
    func load() throws(SecurityKeyFile.Failure) -> [SecurityKey] {
        var keys: [SecurityKey] = []
        var warnings: [String] = []
        for path in files {
            let loaded = try SecurityKeyFile.load(path: path)
            keys.append(loaded.key)
            warnings += loaded.warnings
        }
        for path in folders {
            let loaded = try SecurityKeyFile.loadFolder(path: path)
            keys += loaded.keys
            warnings += loaded.warnings
        }
        for warning in warnings { StandardError.write("warning: \(warning)\n") }
        return keys + clusterNames.map { SecurityKey(clusterName: $0) }
    }
}
