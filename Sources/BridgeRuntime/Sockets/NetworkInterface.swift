import CLinuxNet
import Glibc
import WireFormat

/// An interface of this host.
public struct NetworkInterface: Sendable, Hashable {
    /// Its name, e.g. `eth1`.
    public var name: String
    /// The kernel's number for it.
    public var index: Int32
    /// Its largest packet in bytes.
    public var mtu: Int
    /// Its Ethernet address; nil where it has none.
    public var hardwareAddress: HardwareAddress?
    /// Whether it is the loopback interface.
    public var isLoopback: Bool

    private init(name: String, _ found: linuxnet_interface) {
        self.name = name
        index = found.index
        mtu = Int(found.mtu)
        isLoopback = found.is_loopback != 0
        if found.has_hardware != 0 {
            let bytes = found.hardware
            hardwareAddress = HardwareAddress([bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5])
        }
    }

    /// The interface called `name`.
    public init(named name: String) throws(SystemCallError) {
        var found = linuxnet_interface()
        try SystemCallError.check(linuxnet_interface_named(name, &found), "find interface \(name)")
        self.init(name: name, found)
    }

    /// The interface that holds `address`, and its broadcast address there. Every address of 127.0.0.0/8 is held by the
    /// loopback interface, whose broadcast address is 127.255.255.255.
    public static func holding(_ address: IPAddress) throws(SystemCallError) -> (interface: NetworkInterface, broadcast: IPAddress?) {
        var found = linuxnet_interface()
        var broadcast = linuxnet_address()
        var wanted = linuxnet_address(address)
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        try SystemCallError.check(
            linuxnet_interface_holding(&wanted, &found, &broadcast, &name, name.count),
            "find the interface that holds \(address)"
        )
        let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (NetworkInterface(name: text, found), broadcast.ipAddress)
    }

    /// The broadcast address of the interface's primary IPv4 address. The loopback interface has none of its own, but the kernel
    /// delivers what is sent to that of its network.
    public func broadcast() throws(SystemCallError) -> IPAddress {
        if isLoopback { return IPAddress(ipv4: 0x7FFF_FFFF) }
        var address = linuxnet_address()
        try SystemCallError.check(linuxnet_interface_broadcast(name, &address), "find the broadcast address of \(name)")
        return address.ipAddress ?? IPAddress(ipv4: 0xFFFF_FFFF)
    }
}
