import CaptureSupport
import Captures
import Testing
import TotemSecurity
import WireFormat

/// A recorded capture whose packets are in envelopes, and what protects them by its page.
struct SecuredCapture: Sendable, CustomTestStringConvertible {
    var name: String
    var scheme: SecurityScheme
    var key: SecurityKey

    var testDescription: String { name }

    /// Every capture of the repository that is encrypted or authenticated.
    static let all: [SecuredCapture] = {
        var captures: [SecuredCapture] = []
        func add(_ names: [String], _ scheme: SecurityScheme, key file: String) {
            captures += names.map { SecuredCapture(name: $0, scheme: scheme, key: key(file)) }
        }
        let flatiron = "corosync/flatiron1.4-"
        let binary = "corosync/keys/authkey-256.bin"
        let ascii = "corosync/keys/authkey14-128ascii.bin"
        let text = "corosync/keys/authkey14-127ascii-nul.bin"
        add(
            ["udp-sober-form", "udpu-sober-form", "udpu-sober-kill", "udpu-sober-large", "udpu-sober-small"].map { flatiron + $0 },
            .corosync1,
            key: ascii
        )
        add(["udp-sober-textkey-form", "udp-sober-textkey-small"].map { flatiron + $0 }, .corosync1, key: text)
        add(["udp-nss-form", "udp-nss-small"].map { flatiron + $0 }, .corosync1NSS, key: ascii)
        // It takes in the first 32 bytes of its key, `text`, which are those of `ascii` too.
        add(["udp-nss-textkey-form"].map { flatiron + $0 }, .corosync1NSS, key: ascii)
        let needle = "corosync/needle2.4-"
        let aes = SecurityScheme(.corosync23, cipher: .aes256, hash: .sha1)
        add(
            [
                "udp-aes256-sha1-form", "udp-aes256-sha1-small", "udpu-aes256-sha1-form", "udpu-aes256-sha1-large",
                "udpu-aes256-sha1-small", "udpu-secauth-form", "udpu-secauth-small",
            ].map { needle + $0 },
            aes,
            key: binary
        )
        add([needle + "udpu-none-sha256-form"], SecurityScheme(.corosync23, cipher: .none, hash: .sha256), key: binary)
        let knet = SecurityScheme(.knet, cipher: .aes256, hash: .sha256)
        add(["form", "kill", "small"].map { "corosync/3.1.7-knet-aes256-sha256-\($0)" }, knet, key: binary)
        // The files beside the three captures hold the same key.
        add(
            ["wt-f5586a7-secauth-form3", "wt-f5586a7-secauth-cpg", "cman2-02a34df25-secauth-keyfile"].map { "openais/\($0)" },
            .openais,
            key: "openais/wt-f5586a7-secauth-form3.authkey"
        )
        let named = SecurityKey(clusterName: "oacluster")
        captures.append(SecuredCapture(name: "openais/cman2-02a34df25-secauth-join3", scheme: .openais, key: named))
        for name in ["barrier", "death", "idle", "join3", "leave", "leave-remove", "ports", "votes"] {
            captures.append(SecuredCapture(name: "openais/cman0-06267550e-\(name)", scheme: .openais, key: .empty))
        }
        return captures
    }()

    private static func key(_ file: String) -> SecurityKey {
        guard let key = try? SecurityKeyFile.load(path: CaptureSupport.path(of: file)).key else {
            return SecurityKey(name: "\(file), which cannot be read", bytes: [])
        }
        return key
    }

    /// All keys of all captures, as a user has them who does not know which one fits.
    static let allKeys: [SecurityKey] = {
        var keys: [SecurityKey] = []
        for capture in all where !keys.contains(capture.key) && !capture.key.bytes.isEmpty { keys.append(capture.key) }
        return keys
    }()

    func datagrams() throws -> [CapturedDatagram] { try CaptureSupport.datagrams(of: name + ".pcap") }
}

/// Every packet that was recorded in an envelope.
@Suite struct RecordedEnvelopes {
    @Test(arguments: SecuredCapture.all)
    func openedAndSealedAgainIsTheSame(_ capture: SecuredCapture) throws {
        let sealer = try EnvelopeSealer(capture.scheme, key: capture.key)
        var opener = SecurityOpener(keys: SecuredCapture.allKeys)
        let member = EnvelopeOpener(for: sealer)
        var count = 0
        for datagram in try capture.datagrams() {
            let outcome = opener.outcome(datagram.payload, from: datagram.source, to: datagram.destination)
            guard case .opened(let scheme, let keyName, let isAuthentic, let salt, let plaintext) = outcome else {
                Issue.record("frame \(datagram.frame): \(outcome)")
                continue
            }
            count += 1
            #expect(scheme == capture.scheme, "frame \(datagram.frame)")
            #expect(keyName == capture.key.name, "frame \(datagram.frame)")
            #expect(isAuthentic, "frame \(datagram.frame)")
            #expect(beginsLikeAPacket(plaintext, capture.scheme), "frame \(datagram.frame)")
            #expect(try sealer.seal(plaintext, salt: salt) == datagram.payload, "frame \(datagram.frame)")
            let strict = datagram.payload.withUnsafeBytes { member.open($0).map(Array.init) }
            #expect(strict == plaintext, "frame \(datagram.frame)")
            #expect(sealer.sealedSize(plaintext.count) == datagram.payload.count)
        }
        #expect(count > 0)
    }

    private func beginsLikeAPacket(_ plaintext: [UInt8], _ scheme: SecurityScheme) -> Bool {
        guard plaintext.count > 6 else { return false }
        // All nodes are little-endian (captures/corosync/README.md, captures/openais/README.md).
        return scheme.envelope == .knet
            ? plaintext[0] == 1 && [0, 0x81, 0x82, 0x83, 0x84].contains(plaintext[1]) && plaintext[2] == 0 && 1...3 ~= plaintext[3]
            : plaintext[0] <= 5 && plaintext[2] == 0x22 && plaintext[3] == 0xFF
    }
}
