import Glibc

/// Folders that the bridge keeps its files in.
enum RuntimeFolder {
    /// Makes the folder that the file `path` is to be in, with mode 0700, when it is not there; its parent must exist.
    static func make(containing path: String) throws(SystemCallError) {
        let folder = ConfigurationPath.folder(of: path)
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw SystemCallError("make folder \(folder)", code: errno) }
    }
}
