import Crypto
import Foundation
import WireFormat

/// HMAC with one hash and one key. The key is scheduled once.
struct MessageAuthentication: Sendable {
    private enum State: Sendable {
        case md5(KeyedHash<Insecure.MD5>)
        case sha1(KeyedHash<Insecure.SHA1>)
        case sha256(KeyedHash<SHA256>)
        case sha384(KeyedHash<SHA384>)
        case sha512(KeyedHash<SHA512>)
    }

    private let state: State

    /// Which hash.
    let hash: SecurityHash

    /// HMAC with `key`; nil for `none`.
    init?(_ hash: SecurityHash, key: some Collection<UInt8>) {
        self.hash = hash
        switch hash {
        case .none: return nil
        case .md5: state = .md5(KeyedHash(key))
        case .sha1: state = .sha1(KeyedHash(key))
        case .sha256: state = .sha256(KeyedHash(key))
        case .sha384: state = .sha384(KeyedHash(key))
        case .sha512: state = .sha512(KeyedHash(key))
        }
    }

    /// Whether `expected` is the code of `message`. The time that it takes does not depend on where they differ.
    func isCode(_ expected: UnsafeRawBufferPointer, of message: UnsafeRawBufferPointer) -> Bool {
        withCode(of: message) { code in
            guard code.count == expected.count else { return false }
            var difference: UInt8 = 0
            for index in 0..<code.count { difference |= code[index] ^ expected[index] }
            return difference == 0
        }
    }

    /// Hands the code of `message` to `body`.
    func withCode<Result>(of message: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        switch state {
        case .md5(let keyed): keyed.withCode(of: message, body)
        case .sha1(let keyed): keyed.withCode(of: message, body)
        case .sha256(let keyed): keyed.withCode(of: message, body)
        case .sha384(let keyed): keyed.withCode(of: message, body)
        case .sha512(let keyed): keyed.withCode(of: message, body)
        }
    }
}

/// RFC 2104 with both hashes already past the key: the library's own HMAC would schedule the key for every packet.
private struct KeyedHash<Hash: HashFunction & Sendable>: Sendable {
    private let inner: Hash
    private let outer: Hash

    init(_ key: some Collection<UInt8>) {
        var block = [UInt8](repeating: 0, count: Hash.blockByteCount)
        if key.count > block.count {
            for (index, byte) in Hash.hash(data: Data(key)).enumerated() { block[index] = byte }
        } else {
            block.replaceSubrange(0..<key.count, with: key)
        }
        func absorbed(_ pad: UInt8) -> Hash {
            var hash = Hash()
            hash.update(data: block.map { $0 ^ pad })
            return hash
        }
        inner = absorbed(0x36)
        outer = absorbed(0x5C)
    }

    func withCode<Result>(of message: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var inner = inner
        inner.update(bufferPointer: message)
        var outer = outer
        inner.finalize().withUnsafeBytes { outer.update(bufferPointer: $0) }
        return outer.finalize().withUnsafeBytes(body)
    }
}
