import Crypto
import CryptoExtras
import Foundation

/// AES in CBC mode with the padding of PKCS#7, as corosync and knet use it (reference/totem-wire.md 2.2 to 2.5).
struct BlockCipher {
    static let blockSize = 16

    private let key: SymmetricKey

    init(key: SymmetricKey) {
        self.key = key
    }

    /// Decrypts `ciphertext`, which is a multiple of the block size and not empty, to the start of `output`, and says how many bytes
    /// there are without the padding; nil when the padding is wrong.
    func decrypt(_ ciphertext: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer) -> Int? {
        guard let count = decryptBlocks(ciphertext, salt: salt, to: output) else { return nil }
        let padding = Int(output[count - 1])
        guard 1...Self.blockSize ~= padding, output[count - padding..<count].allSatisfy({ Int($0) == padding }) else { return nil }
        return count - padding
    }

    /// The same without looking at the padding: the blocks may be the first ones of a longer packet.
    func decryptBlocks(_ ciphertext: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer) -> Int?
    {
        guard let vector = try? AES._CBC.IV(ivBytes: salt),
            let plaintext = try? AES._CBC.decrypt(ciphertext, using: key, iv: vector, noPadding: true)
        else { return nil }
        plaintext.copyBytes(to: output)
        return plaintext.count
    }

    /// Appends the encrypted `plaintext` to `output`.
    func encrypt(_ plaintext: UnsafeRawBufferPointer, salt: EnvelopeSalt, to output: inout [UInt8]) throws(EnvelopeSealer.Failure) {
        do {
            let vector = try salt.withUnsafeBytes { try AES._CBC.IV(ivBytes: $0) }
            output.append(contentsOf: try AES._CBC.encrypt(plaintext, using: key, iv: vector))
        } catch {
            throw .cryptography("\(error)")
        }
    }
}
