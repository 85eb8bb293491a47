import Glibc
import WireFormat

/// A network of our own on the loopback interface: 254 addresses, a legacy port and a Totem port that nobody else uses.
///
/// 127.255.255.255 and multicast groups are shared by everything on the host, so what keeps two sites apart is the ports. They are
/// reserved for as long as the site lives.
final class LoopbackSite {
    /// The first three bytes of the addresses.
    private let network: UInt32
    /// Port of the legacy cluster.
    let legacyPort: UInt16
    /// Port of the Totem ring.
    let totemPort: UInt16
    private let reservations: [DatagramSocket]

    /// The site has no free ports.
    struct Exhausted: Error, CustomStringConvertible {
        var description: String { "no free ports on the loopback interface; end other demonstrations and try again" }
    }

    /// Reserves a site.
    init() throws {
        // Processes that start at the same time have neighbouring ids, and several sites may be in one process.
        let start = UInt32(truncatingIfNeeded: getpid()) &* 7 &+ UInt32.random(in: 0..<10_000)
        for attempt in UInt32(0)..<100 {
            let number = (start &+ attempt) % 10_000
            let network = 127 << 24 | (1 + number / 250) << 16 | (1 + number % 250) << 8
            let legacyPort = UInt16(20_000 + number)
            let totemPort = UInt16(45_000 + number)
            if let reservations = Self.reserve(network: network, ports: [legacyPort, totemPort]) {
                self.network = network
                self.legacyPort = legacyPort
                self.totemPort = totemPort
                self.reservations = reservations
                return
            }
        }
        throw Exhausted()
    }

    /// Address `number`, 1 to 253.
    func address(_ number: Int) -> IPAddress { IPAddress(ipv4: network | UInt32(number)) }

    private static func reserve(network: UInt32, ports: [UInt16]) -> [DatagramSocket]? {
        var reservations: [DatagramSocket] = []
        for port in ports {
            do throws(SystemCallError) {
                // Not shared: it succeeds only while nobody receives the port's broadcasts. It is given back at once.
                _ = try DatagramSocket(bindingTo: Endpoint(IPAddress(ipv4: 0x7FFF_FFFF), port), role: .node)
                reservations.append(try DatagramSocket(bindingTo: Endpoint(IPAddress(ipv4: network | 254), port), role: .node))
            } catch {
                return nil
            }
        }
        return reservations
    }
}
