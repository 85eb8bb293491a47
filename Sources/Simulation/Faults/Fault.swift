import EngineKit

/// Something that goes wrong, or right again.
public enum Fault: Sendable, Hashable {
    /// A host ends without a word.
    case crash(host: Int)
    /// A crashed host starts again, with what it had stored.
    case restart(host: Int)
    /// A host stands still (SIGSTOP).
    case pause(host: Int)
    /// A paused host goes on.
    case resume(host: Int)
    /// Nothing passes between the hosts of the set and the others.
    case isolate(hosts: Set<Int>)
    /// Nothing passes in one direction.
    case block(from: Int, to: Int)
    /// Nothing passes on one of several networks.
    case cut(network: Int)
    /// Every link behaves like this.
    case links(LinkProfile)
    /// One direction behaves like this.
    case link(LinkProfile, from: Int, to: Int)
    /// The network is whole and loses nothing.
    case heal
}

extension Fault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .crash(let host): "crash host \(host)"
        case .restart(let host): "restart host \(host)"
        case .pause(let host): "pause host \(host)"
        case .resume(let host): "resume host \(host)"
        case .isolate(let hosts): "isolate hosts \(hosts.sorted())"
        case .block(let from, let to): "block \(from) -> \(to)"
        case .cut(let network): "cut network \(network)"
        case .links(let profile): "links: \(profile)"
        case .link(let profile, let from, let to): "link \(from) -> \(to): \(profile)"
        case .heal: "heal the network"
        }
    }
}

extension VirtualNetwork {
    /// Does to links and running hosts what `fault` says. Crashes and restarts are the business of whoever owns the engines.
    public func apply(_ fault: Fault) {
        switch fault {
        case .crash, .restart: break
        case .pause(let host): pause(host)
        case .resume(let host): resume(host)
        case .isolate(let hosts):
            for one in 0..<hostCount {
                for other in 0..<hostCount where hosts.contains(one) != hosts.contains(other) { setBlocked(true, from: one, to: other) }
            }
        case .block(let from, let to): setBlocked(true, from: from, to: to)
        case .cut(let network): cut(network: network)
        case .links(let profile): setProfile(profile)
        case .link(let profile, let from, let to): setProfile(profile, from: from, to: to)
        case .heal: heal()
        }
    }
}
