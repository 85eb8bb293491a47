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

    /// Whether `expected` is the code of `message`.
    func isCode(_ expected: UnsafeRawBufferPointer, of message: UnsafeRawBufferPointer) -> Bool {
        withCode(of: message) { Self.areEqual($0, expected) }
    }

    /// Whether two codes are equal. The time that it takes does not depend on where they differ.
    static func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<left.count { difference |= left[index] ^ right[index] }
        return difference == 0
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

    /// Hands the HMAC-SHA1 code of `message` to `body`, with a key of at most 64 bytes that is used once.
    static func withCode<Result>(
        key: UnsafeRawBufferPointer,
        of message: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        KeyedHash<Insecure.SHA1>.code(KeyedHash.absorbed(key, 0x36), KeyedHash.absorbed(key, 0x5C), message, body)
    }
}

/// RFC 2104 with both hashes already past the key: the library's own HMAC would schedule the key for every packet.
private struct KeyedHash<Hash: HashFunction & Sendable>: Sendable {
    private let inner: Hash
    private let outer: Hash

    init(_ key: some Collection<UInt8>) {
        let short = key.count > Hash.blockByteCount ? Array(Hash.hash(data: Data(key))) : Array(key)
        inner = short.withUnsafeBytes { Self.absorbed($0, 0x36) }
        outer = short.withUnsafeBytes { Self.absorbed($0, 0x5C) }
    }

    func withCode<Result>(of message: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Self.code(inner, outer, message, body)
    }

    /// A hash that has taken in `key`, which is no longer than a block, combined with `pad`.
    static func absorbed(_ key: UnsafeRawBufferPointer, _ pad: UInt8) -> Hash {
        withUnsafeTemporaryAllocation(byteCount: Hash.blockByteCount, alignment: 8) { block in
            for index in 0..<block.count { block[index] = index < key.count ? key[index] ^ pad : pad }
            var hash = Hash()
            hash.update(bufferPointer: UnsafeRawBufferPointer(block))
            return hash
        }
    }

    static func code<Result>(
        _ inner: consuming Hash,
        _ outer: consuming Hash,
        _ message: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        inner.update(bufferPointer: message)
        inner.finalize().withUnsafeBytes { outer.update(bufferPointer: $0) }
        return outer.finalize().withUnsafeBytes(body)
    }
}
