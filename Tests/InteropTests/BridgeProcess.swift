import Foundation

/// A bridge, a process of `ringbridge run`, on a host of the laboratory.
final class BridgeProcess: Sendable {
    private let child: ChildProcess
    private let host: Laboratory.Host
    private let configuration: String

    /// Starts a bridge with the two files of the cluster.
    init(in laboratory: Laboratory, on host: Laboratory.Host, clusterConf: String, corosyncConf: String, legacyAddresses: [UInt32: String])
        throws
    {
        self.host = host
        let folder = laboratory.folder
        try clusterConf.write(toFile: folder + "/cluster.conf", atomically: true, encoding: .utf8)
        try corosyncConf.write(toFile: folder + "/bridge-corosync.conf", atomically: true, encoding: .utf8)
        configuration = folder + "/bridge.yaml"
        let addresses = legacyAddresses.sorted { $0.key < $1.key }.map { "node\($0.key): \($0.value)" }.joined(separator: ", ")
        let settings = """
            cluster: \(MixedCluster.name)
            legacy: { clusterConf: cluster.conf, interface: eth0, addresses: { \(addresses) } }
            totem: { corosyncConf: bridge-corosync.conf, interface: eth0 }
            ports: { 11: { group: clvmd, mapping: raw } }
            manageAddresses: true
            state: bridge.state
            admin: bridge.sock
            capture: bridge.pcap
            """
        try settings.write(toFile: configuration, atomically: true, encoding: .utf8)
        child = try laboratory.start("bridge", on: host, [Ringbridge.program, "run", "--config", configuration])
    }

    /// Whether it still runs.
    var isRunning: Bool { child.isRunning }

    /// What it says of itself.
    func status() throws -> String {
        try run(["ip", "netns", "exec", host.namespace, Ringbridge.program, "status", "--config", configuration], mayFail: true)
    }

    /// SIGTERM: withdraws its proxies.
    @discardableResult
    func stop() -> Bool { child.stop(within: 30) }

    /// kill -9.
    func kill() { child.killAndWait() }

    /// What it logged.
    var log: [String] { child.errorLines }
}
