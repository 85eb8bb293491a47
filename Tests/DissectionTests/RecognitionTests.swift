import CaptureSupport
import Captures
import Dissection
import Testing
import TotemWire

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

    /// Other dialects, encrypted packets and knet are not taken for what they are not.
    @Test func otherDialectsAreUnknown() throws {
        let names =
            CaptureSupport.captureNames(prefix: "openais/cman0") + CaptureSupport.captureNames(prefix: "openais/wt-f5586a7-secauth-cpg")
            + CaptureSupport.captureNames(prefix: "corosync/3.1.7-knet-aes256")
            + CaptureSupport.captureNames(prefix: "corosync/3.1.7-knet-cpg")
            + CaptureSupport.captureNames(prefix: "corosync/needle2.4-udp-cpg")
            + CaptureSupport.captureNames(prefix: "corosync/flatiron1.4-udp-s")
        #expect(names.count > 12)
        for name in names {
            try FrameSource(name).dissect { #expect($0.dialect == nil, "\(name) frame \($0.frame)") }
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
