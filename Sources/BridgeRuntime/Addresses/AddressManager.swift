import CLinuxNet
import Captures
import EngineKit
import Glibc
import WireFormat

/// Takes and gives back the addresses of proxies: by itself, through the operator's hook, or by looking whether they are there.
final class AddressManager {
    /// Who adds and removes addresses.
    enum Policy {
        /// The manager, over netlink. Needs CAP_NET_ADMIN and CAP_NET_RAW.
        case managed
        /// A program, called with `acquire|release ADDRESS INTERFACE`; exit status 0 means done.
        case hook(String)
        /// Nobody: the operator has put them there.
        case present
    }

    /// What became of an address.
    enum Outcome: Equatable {
        /// It can be used.
        case held
        /// It cannot be taken; says who has it or what went wrong.
        case refused(String)
        /// Somebody else claims it while it is held.
        case lost(String)
        /// It was to be given back, and that failed: the host may still hold it.
        case stuck(String)
    }

    private final class Entry {
        let interface: NetworkInterface
        var stage: Stage
        let token: EventLoop.Token

        init(interface: NetworkInterface, stage: Stage, token: EventLoop.Token) {
            self.interface = interface
            self.stage = stage
            self.token = token
        }
    }

    private enum Stage {
        case claiming(AddressClaim, AddressFrames, PacketSocket)
        case asking(ChildProcess)
        case there
    }

    private let policy: Policy
    private let registry: EventLoop.Registry
    private let firstToken: UInt64
    private var nextToken: UInt64 = 0
    private var entries: [IPAddress: Entry] = [:]
    private var releases: [(address: IPAddress, hook: ChildProcess)] = []
    private var outcomes: [(IPAddress, Outcome)] = []
    private var polls: Instant?

    /// How often a running hook is looked after.
    private static let hookPoll = Interval.milliseconds(50)

    /// A manager whose sockets are watched under tokens from `firstToken` up.
    init(policy: Policy, registry: EventLoop.Registry, firstToken: UInt64) {
        self.policy = policy
        self.registry = registry
        self.firstToken = firstToken
    }

    /// When `advance` must be called next.
    var nextDeadline: Instant? {
        var earliest = polls
        for entry in entries.values {
            guard case .claiming(let claim, _, _) = entry.stage, let deadline = claim.nextDeadline else { continue }
            if earliest.map({ deadline < $0 }) ?? true { earliest = deadline }
        }
        return earliest
    }

    /// Whether an outcome waits to be taken.
    var hasOutcomes: Bool { !outcomes.isEmpty }

    /// What became of addresses since the last call.
    func takeOutcomes() -> [(IPAddress, Outcome)] {
        defer { outcomes.removeAll(keepingCapacity: true) }
        return outcomes
    }

    /// Begins to take `address` on `interface` (nil: wherever it is already). The outcome comes through `takeOutcomes`.
    func acquire(_ address: IPAddress, on interface: NetworkInterface?, at now: Instant) {
        guard entries[address] == nil else { return outcomes.append((address, .held)) }
        do throws(SystemCallError) {
            if address.isLoopback {
                entries[address] = Entry(interface: try NetworkInterface.holding(address).interface, stage: .there, token: token())
                return outcomes.append((address, .held))
            }
            switch policy {
            case .present:
                entries[address] = Entry(interface: try NetworkInterface.holding(address).interface, stage: .there, token: token())
                outcomes.append((address, .held))
            case .hook(let program):
                guard let interface else { return outcomes.append((address, .refused("no interface is configured for it"))) }
                let child = try ChildProcess(program, ["acquire", "\(address)", interface.name])
                entries[address] = Entry(interface: interface, stage: .asking(child), token: token())
                polls = now + Self.hookPoll
            case .managed:
                try claim(address, on: interface, at: now)
            }
        } catch {
            outcomes.append((address, .refused(advice(error))))
        }
    }

    /// What went wrong, and what the operator can do about it.
    private func advice(_ error: any Error) -> String {
        switch (error as? SystemCallError)?.code {
        case EPERM: "\(error); run the bridge with CAP_NET_ADMIN and CAP_NET_RAW, or name an addressHook"
        case EADDRNOTAVAIL: "\(error); add it to this host, or write manageAddresses: true"
        default: "\(error)"
        }
    }

    private func claim(_ address: IPAddress, on interface: NetworkInterface?, at now: Instant) throws(SystemCallError) {
        guard let interface, let hardware = interface.hardwareAddress else {
            return outcomes.append((address, .refused("no Ethernet interface is configured for it")))
        }
        let socket = try PacketSocket(on: interface, type: address.family == .ipv4 ? EtherType.arp : EtherType.ipv6)
        let frames = AddressFrames(address: address, hardware: hardware)
        let entry = Entry(interface: interface, stage: .claiming(AddressClaim(at: now), frames, socket), token: token())
        try registry.watch(socket.descriptor, as: entry.token)
        entries[address] = entry
    }

    private func token() -> EventLoop.Token {
        nextToken += 1
        return EventLoop.Token(rawValue: firstToken + nextToken)
    }

    /// Gives `address` back, whether it is held or still being taken.
    func release(_ address: IPAddress, at now: Instant) {
        guard let entry = entries.removeValue(forKey: address), !address.isLoopback else { return }
        switch (policy, entry.stage) {
        case (.managed, .claiming(let claim, _, let socket)):
            registry.forget(socket.descriptor)
            if case .held = claim.state { remove(address, from: entry.interface) }
        case (.managed, _): remove(address, from: entry.interface)
        case (.hook(let program), _):
            do throws(SystemCallError) {
                releases.append((address, try ChildProcess(program, ["release", "\(address)", entry.interface.name])))
                polls = now + Self.hookPoll
            } catch {
                outcomes.append((address, .stuck(error.description)))
            }
        case (.present, _): break
        }
    }

    /// Whether hooks still run that give addresses back.
    var isReleasing: Bool { !releases.isEmpty }

    private func remove(_ address: IPAddress, from interface: NetworkInterface) {
        var system = linuxnet_address(address)
        let result = linuxnet_address_change(0, interface.index, &system)
        if result < 0, -result != EADDRNOTAVAIL {
            outcomes.append((address, .stuck(SystemCallError("remove \(address) from \(interface.name)", code: -result).description)))
        }
    }

    /// Removes `address` when an earlier process, which was killed, has left it on `interface`; whether it was there. Its node may have
    /// moved since, and two hosts would answer for it. Only a host address is removed, as this manager adds them, never one with a
    /// network that an operator has configured.
    func removeLeftover(_ address: IPAddress, from interface: NetworkInterface) -> Bool {
        guard case .managed = policy, !address.isLoopback, entries[address] == nil else { return false }
        var system = linuxnet_address(address)
        return linuxnet_address_change(0, interface.index, &system) == 0
    }

    /// Gives back, in an end without order, what is still held; returns what only a hook could give back.
    func releaseAll(at now: Instant) -> [IPAddress] {
        let held = entries.keys.filter { !$0.isLoopback }
        guard case .hook = policy else {
            for address in held { release(address, at: now) }
            return []
        }
        return held + releases.map(\.address)
    }

    /// Reads the frames that wait under `token`.
    func ready(_ token: EventLoop.Token) {
        guard let (address, entry) = entries.first(where: { $0.value.token == token }),
            case .claiming(let claim, let frames, let socket) = entry.stage
        else { return }
        var other: HardwareAddress?
        socket.receive { other = other ?? frames.claimant(in: $0) }
        guard let other else { return }
        registry.forget(socket.descriptor)
        if case .held = claim.state {
            entry.stage = .there
            outcomes.append((address, .lost("\(other)")))
        } else {
            entries[address] = nil
            outcomes.append((address, .refused("\(other) on \(entry.interface.name) answers for it")))
        }
    }

    /// Lets everything that is due at `now` happen.
    func advance(to now: Instant) {
        for (address, entry) in entries {
            guard case .claiming(var claim, let frames, let socket) = entry.stage else { continue }
            let actions = claim.advance(to: now)
            guard !actions.isEmpty else { continue }
            entry.stage = .claiming(claim, frames, socket)
            do {
                for action in actions { try perform(action, address, frames, socket, entry.interface) }
            } catch {
                registry.forget(socket.descriptor)
                entries[address] = nil
                outcomes.append((address, .refused(advice(error))))
            }
        }
        pollHooks(at: now)
    }

    private func perform(
        _ action: AddressClaim.Action,
        _ address: IPAddress,
        _ frames: AddressFrames,
        _ socket: PacketSocket,
        _ interface: NetworkInterface
    ) throws {
        switch action {
        case .probe: try socket.send(try frames.probe())
        case .announce: try socket.send(try frames.announcement())
        case .take:
            var system = linuxnet_address(address)
            let result = linuxnet_address_change(1, interface.index, &system)
            // An earlier process of this bridge may have left it there; nobody else answers for it.
            guard result == 0 || -result == EEXIST else { throw SystemCallError("add \(address) to \(interface.name)", code: -result) }
            // On an IPv6 packet socket all traffic would come by: only the probe needed it.
            if address.family == .ipv6 { registry.forget(socket.descriptor) }
            outcomes.append((address, .held))
        }
    }

    private func pollHooks(at now: Instant) {
        guard let due = polls, due <= now else { return }
        var isBusy = false
        for (address, entry) in entries {
            guard case .asking(let child) = entry.stage else { continue }
            guard let status = child.exitStatus() else {
                isBusy = true
                continue
            }
            if status == 0 {
                entry.stage = .there
                outcomes.append((address, .held))
            } else {
                entries[address] = nil
                outcomes.append((address, .refused("the address hook ended with status \(status)")))
            }
        }
        releases.removeAll { address, hook in
            guard let status = hook.exitStatus() else { return false }
            if status != 0 { outcomes.append((address, .stuck("the address hook ended with status \(status)"))) }
            return true
        }
        polls = isBusy || !releases.isEmpty ? now + Self.hookPoll : nil
    }
}
