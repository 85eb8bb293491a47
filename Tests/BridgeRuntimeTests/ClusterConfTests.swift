import Testing

@testable import BridgeRuntime

@Suite struct ClusterConfTests {
    /// In the style of what system-config-cluster of RHEL 4 wrote.
    static let sample = """
        <?xml version="1.0"?>
        <cluster config_version="12" name="alpha">
          <fence_daemon clean_start="0" post_fail_delay="0" post_join_delay="3"/>
          <clusternodes>
            <clusternode name="node1.example.com" votes="1" nodeid="1">
              <fence>
                <method name="1">
                  <device name="apc" port="1"/>
                </method>
              </fence>
            </clusternode>
            <clusternode name="node2.example.com" votes="3"/>
            <clusternode name="node3.example.com" votes="0" nodeid="3">
              <multicast addr="224.0.0.1" interface="eth1"/>
            </clusternode>
          </clusternodes>
          <cman port="7000" expected_votes="4">
            <multicast addr="224.0.0.1"/>
          </cman>
          <fencedevices>
            <fencedevice agent="fence_apc" ipaddr="10.0.0.9" login="x" name="apc" passwd="y"/>
          </fencedevices>
          <rm>
            <failoverdomains/>
          </rm>
        </cluster>
        """

    @Test func readsWhatCmanUses() throws {
        let conf = try ClusterConf(text: Self.sample, file: "cluster.conf")
        #expect(conf.name == "alpha")
        #expect(conf.version == 12)
        #expect(conf.port == 7000)
        #expect(conf.expectedVotes == 4)
        #expect(conf.multicast == "224.0.0.1")
        #expect(conf.twoNode == false)
        #expect(conf.nodes.map(\.name) == ["node1.example.com", "node2.example.com", "node3.example.com"])
        #expect(conf.nodes.map(\.id) == [1, nil, 3])
        #expect(conf.nodes.map(\.votes) == [1, 3, 0])
        #expect(conf.nodes.map(\.multicastInterface) == [nil, nil, "eth1"])
        #expect(conf.nodes.map(\.place.line) == [5, 12, 13])
        #expect(conf.warnings.isEmpty)
    }

    @Test func sumsVotesWhereNoneAreExpected() throws {
        let conf = try ClusterConf(
            text:
                #"<cluster name="a" config_version="1"><clusternodes><clusternode name="x" votes="2"/><clusternode name="y"/></clusternodes></cluster>"#,
            file: "c"
        )
        #expect(conf.expectedVotes == 3)
        #expect(conf.port == 6809)
    }

    @Test func warnsAboutWhatHasNoEffect() throws {
        let text = Self.sample.replacing("<cman port", with: "<cmann/>\n<cman quorum_dev_poll=\"3\" port")
        let conf = try ClusterConf(text: text, file: "cluster.conf")
        #expect(
            conf.warnings.map(\.description) == [
                "cluster.conf:17: <cmann> is unknown and has no effect",
                "cluster.conf:18: quorum_dev_poll=\"3\" of <cman> has no effect",
            ]
        )
    }

    /// What is wrong, the line that must be named, and a part of the message.
    static let faults: [(old: String, new: String, line: Int, part: String)] = [
        ("name=\"alpha\"", "name=\"a_name_that_is_too_long\"", 2, "1 to 15 bytes"),
        ("config_version=\"12\"", "config_version=\"twelve\"", 2, "config_version"),
        ("votes=\"3\"/>", "votes=\"256\"/>", 12, "votes=\"256\""),
        ("nodeid=\"3\"", "nodeid=\"1\"", 13, "nodeid 1 is there twice"),
        ("nodeid=\"3\"", "nodeid=\"5000\"", 13, "1 to 4096"),
        ("node2.example.com", "node1.example.com", 12, "is there twice"),
        ("port=\"7000\"", "port=\"70000\"", 17, "UDP port"),
        ("expected_votes=\"4\"", "expected_votes=\"0\"", 17, "expected_votes"),
        ("<cman port", "<gulm/><cman port", 17, "gulm"),
        ("<cman port", "<cman two_node=\"2\" port", 17, "two_node"),
        ("<cman port", "<cman two_node=\"1\" port", 2, "two_node needs"),
        ("</clusternodes>", "</clusternode>", 16, "not well-formed"),
    ]

    @Test(arguments: faults) func namesLineAndRemedy(_ fault: (old: String, new: String, line: Int, part: String)) throws {
        let text = Self.sample.replacing(fault.old, with: fault.new)
        let error = #expect(throws: ConfigurationError.self) { try ClusterConf(text: text, file: "cluster.conf") }
        #expect(error?.place.line == fault.line)
        #expect(error?.problem.contains(fault.part) == true, "\(error.map(String.init(describing:)) ?? "")")
        #expect(error?.remedy.isEmpty == false)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func refusesWhatIsNoClusterConf() {
        #expect(throws: ConfigurationError.self) { try ClusterConf(text: "", file: "c") }
        #expect(throws: ConfigurationError.self) { try ClusterConf(text: "totem {", file: "c") }
        #expect(throws: ConfigurationError.self) { try ClusterConf(text: "<html/>", file: "c") }
        let missing = #expect(throws: ConfigurationError.self) { try ClusterConf(contentsOf: "/nonexistent/cluster.conf") }
        #expect(missing?.description == "/nonexistent/cluster.conf: No such file or directory; check the name and who may read it")
    }
}
