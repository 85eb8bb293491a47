import Foundation
import Synchronization

/// A network of hosts, each a network namespace with its own MAC address, joined by a switch that has a namespace of its own.
/// Everything goes when the value does. Every host has one interface, `eth0`, in 10.77.0.0/16 and
/// fd77::/64.
final class Laboratory: Sendable {
    /// A host of the network.
    struct Host: Sendable, Hashable {
        /// Its network namespace.
        var namespace: String
        /// Number of the host; it is in its MAC address.
        var number: Int

        /// Its MAC address.
        var hardwareAddress: String { "02:77:00:00:00:" + (number < 16 ? "0" : "") + String(number, radix: 16) }
    }

    /// A folder for configurations, logs and captures.
    let folder: String

    private let prefix: String
    private let hosts = Mutex<[Host]>([])
    private static let counter = Mutex(0)

    /// Makes the switch. Names carry the process id, so that runs side by side do not meet.
    init() throws {
        let serial = Laboratory.counter.withLock { count in
            count += 1
            return count
        }
        prefix = "rb\(getpid() % 100_000)n\(serial)"
        folder = NSTemporaryDirectory() + "/ringbridge-interop-\(getpid())-\(serial)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try run(["ip", "netns", "add", switchNamespace])
        // There is no router to ask for memberships, without which a switch that snoops on them forgets.
        try run(["ip", "-n", switchNamespace, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0"])
        try run(["ip", "-n", switchNamespace, "link", "set", "br0", "up"])
    }

    deinit {
        for host in hosts.withLock({ $0 }) { _ = try? run(["ip", "netns", "delete", host.namespace], mayFail: true) }
        _ = try? run(["ip", "netns", "delete", switchNamespace], mayFail: true)
        if ProcessInfo.processInfo.environment["RINGBRIDGE_KEEP"] == nil {
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    private var switchNamespace: String { prefix + "sw" }

    /// Adds a host that holds `addresses`.
    func addHost(_ number: Int, addresses: [String]) throws -> Host {
        let host = Host(namespace: "\(prefix)h\(number)", number: number)
        let port = "p\(number)"
        try run(["ip", "netns", "add", host.namespace])
        hosts.withLock { $0.append(host) }
        try run([
            "ip", "-n", host.namespace, "link", "add", "eth0", "address", host.hardwareAddress, "type", "veth", "peer", "name", port,
            "netns", switchNamespace,
        ])
        try run(["ip", "-n", switchNamespace, "link", "set", port, "master", "br0", "up"])
        try run(["ip", "-n", host.namespace, "link", "set", "lo", "up"])
        try run(["ip", "-n", host.namespace, "link", "set", "eth0", "up"])
        for address in addresses { try add(address, to: host) }
        try run(["ip", "-n", host.namespace, "route", "replace", "224.0.0.0/4", "dev", "eth0"])
        if addresses.contains(where: { $0.contains(":") }) {
            try run(["ip", "-n", host.namespace, "route", "replace", "ff00::/8", "dev", "eth0", "table", "local"])
        }
        return host
    }

    /// Gives a host an address and announces it, as an operator's procedure does.
    func add(_ address: String, to host: Host) throws {
        let place =
            address.contains(":")
            // Nobody else has it: without waiting for an answer.
            ? ["\(address)/64", "dev", "eth0", "nodad"] : ["\(address)/16", "broadcast", "10.77.255.255", "dev", "eth0"]
        try run(["ip", "-n", host.namespace, "address", "replace"] + place)
        fillNeighbours(with: address, of: host)
    }

    /// Takes an address from a host.
    func remove(_ address: String, from host: Host) throws {
        try run(["ip", "-n", host.namespace, "address", "delete", "\(address)/16", "dev", "eth0"])
    }

    /// Tells every other host the new owner of an address, so that no test waits for neighbour resolution.
    private func fillNeighbours(with address: String, of owner: Host) {
        for host in hosts.withLock({ $0 }) where host != owner {
            _ = try? run(
                [
                    "ip", "-n", host.namespace, "neighbour", "replace", address, "lladdr", owner.hardwareAddress, "dev", "eth0", "nud",
                    "reachable",
                ],
                mayFail: true
            )
        }
    }

    /// Starts a program on a host.
    func start(_ name: String, on host: Host, _ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(name, ["ip", "netns", "exec", host.namespace] + arguments)
    }

    /// Drops every packet between two groups of hosts until `heal`.
    func partition(_ one: [Host], from other: [Host]) throws {
        var rules = "table bridge lab { chain forward { type filter hook forward priority 0; policy accept;\n"
        for left in one {
            for right in other {
                rules += "ether saddr \(left.hardwareAddress) ether daddr \(right.hardwareAddress) drop\n"
                rules += "ether saddr \(right.hardwareAddress) ether daddr \(left.hardwareAddress) drop\n"
                rules += "iifname \"p\(left.number)\" oifname \"p\(right.number)\" drop\n"
                rules += "iifname \"p\(right.number)\" oifname \"p\(left.number)\" drop\n"
            }
        }
        rules += "}\n}\n"
        let file = folder + "/partition.nft"
        try rules.write(toFile: file, atomically: true, encoding: .utf8)
        try run(["ip", "netns", "exec", switchNamespace, "nft", "-f", file])
    }

    /// Loses so many percent of all datagrams until `heal`.
    func lose(_ percent: Int) throws {
        let rules = """
            table bridge lab { chain forward { type filter hook forward priority 0; policy accept;
            meta l4proto udp numgen random mod 100 < \(percent) drop
            }
            }

            """
        let file = folder + "/loss.nft"
        try rules.write(toFile: file, atomically: true, encoding: .utf8)
        try run(["ip", "netns", "exec", switchNamespace, "nft", "-f", file])
    }

    /// Lets everything through again.
    func heal() throws {
        try run(["ip", "netns", "exec", switchNamespace, "nft", "delete", "table", "bridge", "lab"])
    }

    /// Records everything that crosses the switch into a file of the folder.
    func record(_ file: String) throws -> ChildProcess {
        let recorder = try ChildProcess(
            "tcpdump",
            [
                "ip", "netns", "exec", switchNamespace, "tcpdump", "-i", "br0", "-U", "-s", "0", "-B", "32768", "-w", folder + "/" + file,
            ]
        )
        _ = waitUntil(within: 5) { recorder.errorLines.contains { $0.contains("listening on") } }
        return recorder
    }
}
