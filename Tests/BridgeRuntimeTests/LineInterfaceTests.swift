import Testing

@testable import BridgeRuntime

@Suite struct LineInterfaceTests {
    @Test func readsCommands() throws {
        #expect(
            try NodeCommand.parse("send 11 all hello  world") == .send(.port(11), node: 0, payload: Array("hello  world".utf8), count: 1)
        )
        #expect(try NodeCommand.parse("send clvmd all hex:00fF") == .send(.group("clvmd"), node: 0, payload: [0, 255], count: 1))
        #expect(try NodeCommand.parse("burst 3 11 7 size:2") == .send(.port(11), node: 7, payload: [0, 1], count: 3))
        #expect(
            try NodeCommand.parse("load clvmd 5 1000 a tag") == .load(.group("clvmd"), count: 5, size: 1000, tag: Array("a tag".utf8))
        )
        #expect(try NodeCommand.parse("measure clvmd 7 64") == .measure(.throughput, .group("clvmd"), count: 7, size: 64))
        #expect(try NodeCommand.parse("echo clvmd 7 0") == .measure(.roundTrip, .group("clvmd"), count: 7, size: 0))
        #expect(try NodeCommand.parse("listen 300") == .listen(.group("300")))
        #expect(try NodeCommand.parse("leave removed") == .leave(removed: true))
        #expect(try NodeCommand.parse("") == nil)
        #expect(try NodeCommand.parse("# note") == nil)
    }

    @Test(arguments: [
        "send 11 all", "send 11 some text", "send 11 all hex:0", "burst x 11 all y", "kill me", "quit now", "dance", "load a 1 2",
        "load a 0 2 tag", "load a 1 1048577 tag", "measure a 1", "echo a x 2",
    ])
    func refusesWhatIsNoCommand(_ line: String) {
        #expect(throws: NodeCommand.Fault.self) { try NodeCommand.parse(line[...]) }
    }

    @Test func fillsTheMessagesOfALoad() {
        #expect(MessagePayload.filled(tag: Array("ab".utf8), number: 12, size: 9) == Array("ab-12;".utf8) + [6, 7, 8])
        #expect(MessagePayload.filled(tag: Array("ab".utf8), number: 12, size: 3) == Array("ab-".utf8))
        #expect(MessagePayload.filled(tag: [], number: 1, size: 300).suffix(2) == [42, 43])
    }

    @Test func rendersTheSameReportBothWays() {
        let members = [
            NodeReport("member").with("id", 1 as UInt32).with("name", "a"), NodeReport("member").with("id", 2 as UInt32).with("name", "b"),
        ]
        let report = NodeReport("example").with("number", 7 as UInt32).with("text", "say \"hi\"\u{1}").with("flag", true)
            .with("nodes", [1, 2] as [UInt32]).with("none", [] as [UInt32]).with("members", members)
        #expect(report.line == #"example number=7 text="say \"hi\"\u0001" flag=yes nodes=1,2 none=- members=1:a,2:b"#)
        let json =
            #"{"time":17.000000005,"event":"example","number":7,"text":"say \"hi\"\u0001","flag":true,"nodes":[1,2],"none":[],"members":[{"id":1,"name":"a"},{"id":2,"name":"b"}]}"#
        #expect(report.json(time: 17_000_000_005) == json)
    }

    /// The test vectors of the hash's authors (draft-eastlake-fnv, FNV-1a 32 bits).
    @Test func hashesPayloads() {
        func hash(_ text: String) -> String { Array(text.utf8).withUnsafeBytes { MessagePayload.hash($0) } }
        #expect(hash("") == "811c9dc5")
        #expect(hash("a") == "e40c292c")
        #expect(hash("foobar") == "bf9cf968")
    }
}
