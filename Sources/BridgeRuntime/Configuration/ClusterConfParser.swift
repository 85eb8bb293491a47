import Foundation
import FoundationXML

/// Reads cluster.conf with Foundation's XML parser, which knows the line of every element.
final class ClusterConfParser: NSObject, XMLParserDelegate {
    private let parser: XMLParser
    private let file: String
    private var path: [String] = []
    private var result: ClusterConf?
    private var failure: ConfigurationError?
    private var malformed: ConfigurationPlace?
    private var node: ClusterConf.Node?

    /// Attributes that mean something to cman and that we follow, by element. Elements that other daemons read are not listed.
    private static let known: [String: Set<String>] = [
        "cluster": ["name", "config_version", "alias"],
        "cluster/cman": ["expected_votes", "two_node", "port"],
        "cluster/cman/multicast": ["addr"],
        "cluster/clusternodes": [],
        "cluster/clusternodes/clusternode": ["name", "votes", "nodeid"],
        "cluster/clusternodes/clusternode/multicast": ["addr", "interface"],
    ]

    /// Children of these elements that we do not know are worth a warning; what stands in fence, rm and the like is not ours.
    private static let strict: Set<String> = ["cluster", "cluster/cman", "cluster/clusternodes", "cluster/clusternodes/clusternode"]

    /// Elements that belong to other daemons.
    private static let foreign: Set<String> = [
        "cluster/fence_daemon", "cluster/fence_devices", "cluster/fencedevices", "cluster/rm", "cluster/dlm", "cluster/lock_dlm",
        "cluster/logging", "cluster/clusternodes/clusternode/fence", "cluster/clusternodes/clusternode/com_info",
        "cluster/clusternodes/clusternode/altname",
    ]

    init(text: String, file: String) {
        parser = XMLParser(data: Data(text.utf8))
        self.file = file
        super.init()
        parser.shouldResolveExternalEntities = false
        parser.delegate = self
    }

    func parse() throws(ConfigurationError) -> ClusterConf {
        let succeeded = parser.parse()
        if let failure { throw failure }
        guard succeeded, malformed == nil else {
            throw ConfigurationError(malformed ?? here, "is not well-formed XML", remedy: "mend it; xmllint shows what is wrong")
        }
        guard let result else {
            throw ConfigurationError(
                ConfigurationPlace(file: file),
                "has no <cluster> element",
                remedy: "name the cluster.conf of the cluster"
            )
        }
        guard !result.nodes.isEmpty else {
            throw ConfigurationError(result.place, "has no <clusternode>", remedy: "name the nodes under <clusternodes>")
        }
        if result.twoNode, result.nodes.count != 2 || result.nodes.contains(where: { $0.votes != 1 }) || result.expectedVotes != 1 {
            throw ConfigurationError(
                result.place,
                "two_node needs expected_votes=\"1\" and exactly two nodes of one vote",
                remedy: "mend the file; cman itself refuses it too"
            )
        }
        return result
    }

    private var here: ConfigurationPlace { ConfigurationPlace(file: file, line: parser.lineNumber) }

    private func fail(_ problem: String, remedy: String) {
        if failure == nil { failure = ConfigurationError(here, problem, remedy: remedy) }
        parser.abortParsing()
    }

    func parser(
        _ parser: XMLParser,
        didStartElement element: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        let parent = path.joined(separator: "/")
        path.append(element)
        let name = path.joined(separator: "/")
        if path.count == 1, element != "cluster" {
            return fail("the outermost element is <\(element)>", remedy: "name the cluster.conf of the cluster")
        }
        guard let known = Self.known[name] else {
            if name == "cluster/gulm" { return fail("the cluster is managed by gulm", remedy: "Ringbridge bridges clusters of cman only") }
            if Self.strict.contains(parent), !Self.foreign.contains(name) {
                result?.warnings.append(ConfigurationWarning(here, "<\(element)> is unknown and has no effect"))
            }
            return
        }
        for unknown in attributes.keys.sorted() where !known.contains(unknown) {
            result?.warnings.append(ConfigurationWarning(here, "\(unknown)=\"\(attributes[unknown] ?? "")\" of <\(element)> has no effect"))
        }
        begin(name, attributes)
    }

    func parser(_ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?) {
        if path == ["cluster", "clusternodes", "clusternode"], let node {
            result?.nodes.append(node)
            self.node = nil
        }
        path.removeLast()
    }

    func parser(_ parser: XMLParser, parseErrorOccurred parseError: any Error) {
        // The parser goes on to the end of the file; the first error is the one to mend.
        if malformed == nil { malformed = here }
    }

    private func begin(_ name: String, _ attributes: [String: String]) {
        switch name {
        case "cluster": beginCluster(attributes)
        case "cluster/cman": beginCman(attributes)
        case "cluster/cman/multicast": result?.multicast = attributes["addr"]
        case "cluster/clusternodes/clusternode": beginNode(attributes)
        case "cluster/clusternodes/clusternode/multicast": node?.multicastInterface = attributes["interface"]
        default: break
        }
    }

    private func beginCluster(_ attributes: [String: String]) {
        guard let name = attributes["name"], (1...15).contains(name.utf8.count) else {
            return fail("the cluster's name must have 1 to 15 bytes", remedy: "give <cluster> the name the running cluster has")
        }
        guard let version = number(attributes["config_version"], 0...UInt32.max) else {
            return fail("config_version is not a number", remedy: "give <cluster> the config_version the running cluster has")
        }
        result = ClusterConf(name: name, version: version, place: here)
    }

    private func beginCman(_ attributes: [String: String]) {
        if let text = attributes["expected_votes"] {
            guard let votes = number(text, 1...65_535) else {
                return fail("expected_votes=\"\(text)\" is no number of votes", remedy: "write 1 or more")
            }
            result?.configuredExpectedVotes = votes
        }
        if let text = attributes["two_node"] {
            guard let flag = number(text, 0...1) else { return fail("two_node=\"\(text)\" is neither 0 nor 1", remedy: "write 0 or 1") }
            result?.twoNode = flag == 1
        }
        if let text = attributes["port"] {
            guard let port = number(text, 1...65_535) else { return fail("port=\"\(text)\" is no UDP port", remedy: "write 1 to 65535") }
            result?.port = UInt16(port)
        }
    }

    private func beginNode(_ attributes: [String: String]) {
        guard let name = attributes["name"], (1...254).contains(name.utf8.count) else {
            return fail("a <clusternode> has no name of 1 to 254 bytes", remedy: "name it")
        }
        guard result?.nodes.contains(where: { $0.name == name }) != true else {
            return fail("node \(name) is there twice", remedy: "remove one")
        }
        let votesText = attributes["votes"] ?? "1"
        guard let votes = number(votesText, 0...255) else {
            return fail("votes=\"\(votesText)\" of \(name) is not within 0 to 255", remedy: "mend it")
        }
        var id: UInt32?
        if let text = attributes["nodeid"] {
            guard let number = number(text, 1...4096) else {
                return fail("nodeid=\"\(text)\" of \(name) is not within 1 to 4096", remedy: "mend it")
            }
            guard result?.nodes.contains(where: { $0.id == number }) != true else {
                return fail("nodeid \(number) is there twice", remedy: "give \(name) the id it has in the running cluster")
            }
            id = number
        }
        node = ClusterConf.Node(name: name, votes: UInt8(votes), id: id, multicastInterface: nil, place: here)
    }

    private func number(_ text: String?, _ range: ClosedRange<UInt32>) -> UInt32? {
        guard let text, let number = UInt32(text), range.contains(number) else { return nil }
        return number
    }
}
