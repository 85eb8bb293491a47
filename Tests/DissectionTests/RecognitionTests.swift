import CaptureSupport
import Captures
import Dissection
import Testing
import TotemWire
import WireFormat

/// Which packets are whose.
@Suite struct RecognitionTests {
    @Test(arguments: Supported.all)
    func nothingOfTheCapturesIsUnknownOrWrong(name: String) throws {
        for frame in try FrameSource(name).decoded() {
            if name == "cman/13d-stranger-commands.pcap", frame.message == "unknown" {
                // A probe that ends in the middle of the header (captures/cman/README.md, 13d).
                #expect(frame.problems == ["truncated: flags at byte 8 needs 4 bytes, 0 are left"])
                continue
            }
            #expect(frame.problems.isEmpty, "frame \(frame.frame): \(frame.problems)")
            switch frame.message {
            case "icmp", "fragment": #expect(frame.dialect == nil)
            case "unknown", "other", "arp": Issue.record("frame \(frame.frame) is \(frame.message)")
            default: #expect(frame.dialect == (name.hasPrefix("cman/") ? .cman5 : .corosync3), "frame \(frame.frame)")
            }
        }
    }

    /// The conversation is recognised from whatever packet a recording starts with, but for programs' messages on an unusual port.
    @Test(arguments: ["cman/02-join3.pcap", "cman/07-userdata.pcap", "cman/12b-ipv6-k.pcap"])
    func aRecordingMayStartAnywhere(name: String) throws {
        let whole = try FrameSource(name)
        let all = whole.decoded()
        for start in stride(from: 0, to: whole.frames.count, by: 7) {
            var rest = whole
            rest.frames.removeFirst(start)
            for (later, frame) in zip(rest.decoded(), all[start...]) where frame.message != "fragment" {
                // The fragments before the start are missing.
                if later.message == "fragment" { continue }
                #expect(later.message == frame.message, "from frame \(start + 1), frame \(frame.frame)")
                #expect(later.summary == frame.summary, "from frame \(start + 1), frame \(frame.frame)")
            }
        }
    }

    /// Datagrams that end too early say where, and nothing is made up from what is missing.
    @Test func truncatedDatagrams() throws {
        let file = TemporaryFile()
        let writer = try CaptureWriter(path: file.path)
        let hello = try #require(CaptureSupport.datagrams(of: "cman/02-join3-k.pcap").first { $0.frame == 23 })
        let token = try #require(CaptureSupport.datagrams(of: "corosync/3.1.7-udpu-cpg.pcap").first)
        let mcast = try #require(CaptureSupport.datagrams(of: "corosync/3.1.7-udpu-cpg.pcap").first { $0.frame == 19 })
        for (datagram, count) in [(hello, 28), (hello, 25), (token, 57), (token, 40), (mcast, 30), (mcast, 200), (mcast, 228)] {
            try datagram.payload[..<count].withUnsafeBytes {
                try writer.write($0, from: datagram.source, to: datagram.destination, time: 0)
            }
        }
        let frames = try FrameSource(path: file.path).decoded()
        #expect(frames.map(\.message) == ["hello", "hello", "token", "token", "mcast", "mcast", "mcast"])
        #expect(
            frames.map(\.problems) == [
                [], ["truncated: generation at byte 24 needs 4 bytes, 1 are left"],
                [], ["truncated: seq at byte 33 needs 8 bytes, 7 are left"],
                ["truncated: seq at byte 29 needs 8 bytes, 1 are left"], ["the lengths of the messages do not add up to 145 bytes"], [],
            ]
        )

        #expect(frames[1].summary == "HELLO (1→all seq 14)")
        #expect(frames[3].summary == "token")
        #expect(frames[3].node == 1 && frames[3].ring == nil)
        #expect(frames.dropLast().flatMap(\.carries).isEmpty)
        #expect(frames[6].carries.map(\.message) == ["cpg.procjoin"])
    }

    /// What an operator reads, for packets whose story captures/cman/README.md tells.
    @Test func summaries() throws {
        let join = try FrameSource("cman/02-join3-k.pcap").decoded()
        #expect(join[8].summary == "JOINREQ node2 cluster lctest node 2 votes 1 expected 3 config 1 (0→all seq 1)")
        #expect(join[27].summary == "STARTTRANS NEWNODE node 3 generation 3 node3 (1→all seq 17)")
        #expect(join[31].notes == ["repeats frame 29"])
        let cpg = try FrameSource("corosync/3.1.7-udpu-cpg.pcap").decoded()
        #expect(cpg[0].summary == "token 1.13 seq 21 token_seq 312 aru 21")
        #expect(cpg[18].summary == "mcast 1.13 seq 22 from 1: cpg.procjoin group alpha 1/3169")
        #expect(cpg[19].notes == ["copy for another receiver: repeats frame 19"])
        #expect(cpg.contains { $0.summary.hasSuffix(": cpg.mcast group alpha 3/3207 33 bytes") })
        let form = try FrameSource("corosync/3.1.7-udp-form.pcap").decoded()
        #expect(form.contains { $0.summary.hasPrefix("join proc {1,2} failed {} ring_seq ") })
        let stop = try FrameSource("corosync/3.1.7-udp-stop.pcap").decoded()
        #expect(stop.contains { $0.summary.hasPrefix("join LEAVE of node 3 proc {") })
    }
}
