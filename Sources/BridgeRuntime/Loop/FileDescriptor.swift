import Glibc

/// A descriptor that is closed when its one owner lets it go.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The kernel's number.
    let number: Int32

    /// Takes ownership of `number`.
    init(owning number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }
}
