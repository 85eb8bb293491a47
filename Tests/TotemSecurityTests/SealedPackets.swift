import CaptureSupport
import Captures
import WireFormat

@testable import TotemSecurity

extension EnvelopeSealer {
    /// The envelope around `plaintext`.
    func seal(_ plaintext: [UInt8], salt: [UInt8]) throws -> [UInt8] {
        var output: [UInt8] = []
        // Without a cipher there is no salt in a packet.
        let salt = EnvelopeSalt(salt) ?? Self.noSalt
        try plaintext.withUnsafeBytes { try seal($0, salt: salt, into: &output) }
        return output
    }

    private static var noSalt: EnvelopeSalt {
        var generator = SystemRandomNumberGenerator()
        return EnvelopeSalt(using: &generator)
    }
}

/// What an opener made of a datagram, with copies of the bytes.
enum Outcome: Equatable {
    case plain
    case opened(SecurityScheme, keyName: String?, isAuthentic: Bool, salt: [UInt8], plaintext: [UInt8])
    case unknownKey([SecurityEnvelope], wasTried: Bool)
    case damaged(SecurityScheme, keyName: String)
    case unsupported(SecurityScheme, keyName: String?)

    var isOpened: Bool { if case .opened = self { true } else { false } }
}

extension SecurityOpener {
    static let first = Endpoint(IPAddress(ipv4: 0x0A4D_0201), 5405)
    static let second = Endpoint(IPAddress(ipv4: 0x0A4D_0202), 5405)

    mutating func outcome(
        _ datagram: [UInt8],
        from source: Endpoint = first,
        to destination: Endpoint = second,
        wholeCount: Int? = nil
    ) -> Outcome {
        datagram.withUnsafeBytes { bytes in
            switch open(bytes, from: source, to: destination, wholeCount: wholeCount) {
            case .plain: .plain
            case .opened(let content):
                .opened(
                    content.scheme,
                    keyName: content.keyName,
                    isAuthentic: content.isAuthentic,
                    salt: Array(bytes[content.layout.salt.range]),
                    plaintext: Array(content.plaintext)
                )
            case .unknownKey(let suspicion): .unknownKey(suspicion.envelopes, wasTried: suspicion.wasTried)
            case .damaged(let scheme, let keyName): .damaged(scheme, keyName: keyName)
            case .unsupported(let scheme, let keyName): .unsupported(scheme, keyName: keyName)
            }
        }
    }
}
