import Dissection
import Testing
import TotemSecurity

/// What is said of envelopes, with keys and without.
@Suite struct EnvelopeTests {
    /// Whoever has no key reads the packets of a cluster that authenticates without encrypting, digests apart, and is told so.
    @Test func digestsThatNoKeyConfirmStandApart() throws {
        let capture = "corosync/needle2.4-udpu-none-sha256-form.pcap"
        var withKey: [String] = []
        var source = try FrameSource(capture)
        source.keys = TotemCapture.keys
        source.dissect { packet in
            if packet.dialect == .corosync2 { withKey.append(String(decoding: packet.detail.bytes, as: UTF8.self)) }
        }
        var without: [String] = []
        var noted = 0
        try FrameSource(capture).dissect { packet in
            guard packet.dialect == .corosync2 else { return }
            without.append(String(decoding: packet.detail.bytes, as: UTF8.self))
            #expect(packet.problems.isEmpty, "frame \(packet.frame)")
            #expect(packet.envelope?.scheme == SecurityScheme(.corosync23, cipher: .none, hash: .sha256))
            #expect(packet.envelope?.keyName == nil)
            noted += packet.notes.strings.contains("corosync-2 none/sha256, which no key confirms") ? 1 : 0
        }
        #expect(without.count == 388)
        #expect(without == withKey)
        // Once for each of the three nodes.
        #expect(noted == 3)
    }

    /// A packet that was changed on the way is not read, but its envelope is shown.
    @Test func aDamagedPacketShowsItsEnvelope() throws {
        var source = try FrameSource("corosync/3.1.7-knet-aes256-sha256-form.pcap")
        source.keys = TotemCapture.keys
        source.frames = Array(source.frames.prefix(4))
        source.frames[3].bytes[source.frames[3].bytes.count - 1] ^= 1
        var last: (message: String, dialect: Dialect?, problems: [String], fields: [String])?
        source.dissect { packet in
            let fields = packet.tree.nodes.map { $0.name.description }
            last = (packet.message.description, packet.dialect, packet.problems.strings, fields)
        }
        #expect(last?.message == "encrypted" && last?.dialect == .corosync3)
        let problem = "bad digest: the key corosync/keys/authkey-256.bin fitted before, and does not fit this packet"
        #expect(last?.problems == [problem])
        for name in ["salt", "data", "hmac"] { #expect(last?.fields.contains(name) == true) }
    }
}
