import EngineKit
import TotemWire
import WireFormat

/// CPG, closed process groups, as every member runs it (reference/totem-services.md 7.2; cpg.c of each generation). What the generations do
/// differently is in `ProcessGroupRules`.
package struct ProcessGroupService: Sendable {
    /// Longest piece that travels as one message, in bytes (lib/cpg.c:229 of 3.1.7).
    static let largestPiece = (1 << 20) - 1024

    private let node: UInt32
    private let rules: ProcessGroupRules
    private let reportsUnheard: Bool
    private var table = ProcessGroupTable()
    private var partialMessages = PartialMessages()
    /// Own processes as the joinlist names them: by process id, then in the order of joining.
    private var ownProcesses: [CPGJoinList.Entry] = []
    /// What clients of this node have asked for; a process is in it from `join` to `leave`.
    private var clients: Set<CPGClient> = []
    private var members: [UInt32] = []
    /// Members at the last activation.
    private var oldMembers: [UInt32] = []
    private var downList = CPGDownList()
    private var downLists = DownLists()
    private var joinLists: [(sender: UInt32, entry: CPGJoinList.Entry)] = []

    /// The CPG service of `node` as daemons of `generation` run it; `reportsUnheard` as `ProcessorConfiguration.reportsUnheardMessages`.
    package init(node: UInt32, generation: TotemGeneration = .corosync3, reportsUnheard: Bool = false) {
        self.node = node
        self.reportsUnheard = reportsUnheard
        rules = ProcessGroupRules(of: generation)
        downList.nodeids = Array(repeating: 0, count: CPGDownList.capacity)
    }

    /// The processes of group `name`, ascending.
    package func processes(in name: CPGName) -> [CPGProcess] { table[name]?.processes ?? [] }

    /// Longest message of a client, in bytes.
    package var largestMessage: Int { rules.largestMessage }

    // MARK: Synchronisation

    /// A new ring of `members`, of whom `transitional` come with us from the ring before.
    package mutating func initialise(transitional: [UInt32], members: [UInt32]) {
        joinLists.removeAll(keepingCapacity: true)
        self.members = members
        downLists.begin(members: members)
        var gone: [UInt32] = []
        switch rules.downLists {
        case .ofTheLowest: if members.min() == node { gone = oldMembers.filter { !members.contains($0) } }
        case .chosen, .own: gone = oldMembers.filter { !transitional.contains($0) }
        }
        // The entries behind the used ones stay as they were, as in the daemons' one static list (cpg.c:573 of 3.1.7).
        for (index, node) in gone.prefix(CPGDownList.capacity).enumerated() { downList.nodeids[index] = node }
        downList.leftNodes = UInt32(min(gone.count, CPGDownList.capacity))
        downList.oldMembers = UInt32(oldMembers.count)
    }

    /// What is said while CPG is synchronised.
    package func process(into outbox: inout Outbox) {
        switch rules.downLists {
        case .ofTheLowest: outbox.add(CPGDownListOld(leftNodes: downList.leftNodes, nodeids: downList.nodeids))
        case .chosen, .own: outbox.add(downList)
        }
        if !ownProcesses.isEmpty { outbox.add(CPGJoinList(entries: ownProcesses)) }
    }

    /// Every member has told its processes.
    package mutating func activate(into effects: inout ProcessorEffects) {
        oldMembers = members
        switch rules.downLists {
        case .ofTheLowest: break
        case .chosen: if downLists.isWaiting { removeProcesses(of: downLists.choose(for: node), into: &effects) }
        case .own: removeProcesses(of: Set(downList.nodeids.prefix(Int(downList.leftNodes))), into: &effects)
        }
        downLists.end()
        guard rules.keepsJoinLists else { return }
        addListedProcesses(into: &effects)
        removeUnlistedProcesses(into: &effects)
        joinLists.removeAll(keepingCapacity: true)
    }

    /// Synchronisation ended before CPG became active. A daemon forgets the joinlists only when it had not yet sent its barrier
    /// (sync.c:538 of 3.1.7), and may then show processes of nodes that are gone; here they are always forgotten.
    package mutating func abort() {
        joinLists.removeAll(keepingCapacity: true)
        downLists.end()
    }

    private mutating func removeProcesses(of gone: Set<UInt32>, into effects: inout ProcessorEffects) {
        guard !gone.isEmpty else { return }
        partialMessages.remove(nodes: gone)
        guard !rules.reportsGoneProcessesOneByOne else {
            let lost = table.sorted.flatMap { group in
                group.processes.filter { gone.contains($0.node) }.map { CPGMember(group: group.name, process: $0) }
            }
            for member in lost.sorted(by: { $0.process < $1.process }) {
                leave(member.process, member.group, reason: .nodeDown, into: &effects)
            }
            return
        }
        for group in table.sorted {
            let left = group.processes.filter { gone.contains($0.node) }
            guard !left.isEmpty else { continue }
            for process in left { remove(process, from: group.name) }
            report(
                group,
                members: group.processes.filter { !gone.contains($0.node) },
                left: left.map { .init(process: $0, reason: .nodeDown) },
                into: &effects
            )
        }
    }

    private mutating func addListedProcesses(into effects: inout ProcessorEffects) {
        var joined: [CPGName: [CPGMembership.Change]] = [:]
        // The daemons keep the lists in reverse (cpg.c:1356 of 3.1.7).
        for (sender, entry) in joinLists.reversed() where sender != node {
            let process = CPGProcess(node: sender, pid: entry.pid)
            if rules.reportsListedProcessesOneByOne {
                join(process, entry.groupName, reason: .nodeUp, into: &effects)
                continue
            }
            switch table.insert(process, into: entry.groupName) {
            case .added: joined[entry.groupName, default: []].append(.init(process: process, reason: .nodeUp))
            case .known: break
            case .refused: effects.report(.refused(.tableFull(service: "cpg", from: sender)))
            }
        }
        for group in table.sorted {
            guard let changes = joined[group.name] else { continue }
            report(group, members: group.processes, joined: changes, into: &effects)
        }
    }

    /// Removes processes that left while their node was apart from us (cpg.c:930 of 3.1.7, services/cpg.c:889@fl).
    private mutating func removeUnlistedProcesses(into effects: inout ProcessorEffects) {
        var listed: Set<CPGMember> = []
        for (sender, entry) in joinLists {
            listed.insert(CPGMember(group: entry.groupName, process: CPGProcess(node: sender, pid: entry.pid)))
        }
        var gone: [CPGMember] = []
        for group in table.sorted {
            for process in group.processes where process.node != node {
                let member = CPGMember(group: group.name, process: process)
                if !listed.contains(member) { gone.append(member) }
            }
        }
        for member in gone.sorted(by: { $0.process < $1.process }) {
            leave(member.process, member.group, reason: .processDown, into: &effects)
        }
    }

    // MARK: Messages

    /// A process of node `sender` joins a group.
    package mutating func receive(_ message: CPGProcessJoin, from sender: UInt32, into effects: inout ProcessorEffects) {
        join(CPGProcess(node: sender, pid: message.change.pid), message.change.groupName, reason: .join, into: &effects)
    }

    /// A process of node `sender` leaves a group.
    package mutating func receive(_ message: CPGProcessLeave, from sender: UInt32, into effects: inout ProcessorEffects) {
        let process = CPGProcess(node: sender, pid: message.change.pid)
        leave(process, message.change.groupName, reason: CPGReason(rawValue: message.change.reason) ?? .leave, into: &effects)
    }

    /// The nodes that are gone, as node `sender` sees it.
    package mutating func receive(_ message: CPGDownList, from sender: UInt32, into effects: inout ProcessorEffects) {
        guard case .chosen = rules.downLists, downLists.receive(message, from: sender) else { return }
        removeProcesses(of: downLists.choose(for: node), into: &effects)
    }

    /// The nodes that are gone, as the member with the lowest node id says; of the others the list is empty. corosync ignores it.
    package mutating func receive(_ message: CPGDownListOld, from sender: UInt32, into effects: inout ProcessorEffects) {
        guard case .ofTheLowest = rules.downLists else { return }
        removeProcesses(of: Set(message.nodeids.prefix(Int(message.leftNodes))), into: &effects)
    }

    /// The processes of node `sender`, during synchronisation.
    package mutating func receive(_ message: CPGJoinList, from sender: UInt32, into effects: inout ProcessorEffects) {
        guard rules.keepsJoinLists else {
            guard sender != node else { return }
            for entry in message.entries {
                join(CPGProcess(node: sender, pid: entry.pid), entry.groupName, reason: .nodeUp, into: &effects)
            }
            return
        }
        guard joinLists.count + message.entries.count <= ProcessGroupTable.processLimit * 2 else {
            effects.report(.refused(.tableFull(service: "cpg", from: sender)))
            return
        }
        for entry in message.entries { joinLists.append((sender, entry)) }
    }

    /// A message of a process of node `sender`, which is delivered when this node has a process in the group. `content` is the
    /// process's own bytes.
    @inline(__always)
    package func receive(
        _ message: CPGMulticast,
        _ content: UnsafeRawBufferPointer,
        from sender: UInt32,
        into effects: inout ProcessorEffects
    ) {
        deliver(content, to: message.groupName, from: CPGProcess(node: sender, pid: message.pid), into: &effects)
    }

    /// A piece of a large message of a process of node `sender`.
    package mutating func receive(
        _ message: CPGPartialMulticast,
        _ content: UnsafeRawBufferPointer,
        from sender: UInt32,
        into effects: inout ProcessorEffects
    ) {
        guard let group = table[message.groupName], group.hasProcess(of: node) else { return }
        let process = CPGProcess(node: sender, pid: message.pid)
        guard group.hasProcess(of: sender) else {
            effects.report(.refused(.unknownSender(group: group.text, from: process)))
            return
        }
        switch partialMessages.receive(message, content, from: sender) {
        case .incomplete:
            break
        case .whole(let bytes):
            bytes.withUnsafeBytes { deliver($0, to: message.groupName, from: process, into: &effects) }
        case .broken:
            let error = WireError(
                .outOfBounds(value: Int(message.msglen), limit: PartialMessages.largestMessage),
                field: "msglen",
                offset: 152
            )
            effects.report(.refused(.malformed(service: ServiceMessageKind.cpgPartialMulticast.name.description, error, from: sender)))
        case .tableFull:
            effects.report(.refused(.tableFull(service: "cpg", from: sender)))
        }
    }

    private func deliver(
        _ content: UnsafeRawBufferPointer,
        to name: CPGName,
        from process: CPGProcess,
        into effects: inout ProcessorEffects
    ) {
        table.withGroup(name) { group in
            guard group.hasProcess(of: node) else {
                if reportsUnheard, group.hasProcess(of: process.node) { effects.report(.unheard(group: group.text, from: process)) }
                return
            }
            // Any process of the sender's node will do (cpg.c:1392-1405 of 3.1.7).
            guard !rules.deliversFromKnownNodesOnly || group.hasProcess(of: process.node) else {
                effects.report(.refused(.unknownSender(group: group.text, from: process)))
                return
            }
            effects.report(.message(group: group.text, from: process, payload: effects.keep(content)))
        }
    }

    // MARK: Commands

    /// A client of this node joins a group as process `pid`; false when it already has.
    package mutating func join(_ name: CPGName, pid: UInt32, into outbox: inout Outbox) -> Bool {
        guard clients.insert(CPGClient(group: name, pid: pid)).inserted else { return false }
        outbox.add(CPGProcessJoin(groupName: name, pid: pid))
        return true
    }

    /// A client of this node leaves a group; false when it had not joined.
    package mutating func leave(_ name: CPGName, pid: UInt32, reason: CPGReason = .leave, into outbox: inout Outbox) -> Bool {
        guard clients.remove(CPGClient(group: name, pid: pid)) != nil else { return false }
        outbox.add(CPGProcessLeave(groupName: name, pid: pid, reason: reason.rawValue))
        return true
    }

    /// Every client of this node is gone, as when a daemon is stopped (cpg.c:1066 of 3.1.7).
    package mutating func leaveAll(into outbox: inout Outbox) {
        for client in clients.sorted(by: { ($0.pid, $0.group) < ($1.pid, $1.group) }) {
            _ = leave(client.group, pid: client.pid, reason: .processDown, into: &outbox)
        }
    }

    /// A client of this node sends `payload`, of at most `largestMessage` bytes.
    package func send(_ payload: UnsafeRawBufferPointer, to name: CPGName, pid: UInt32, into outbox: inout Outbox) {
        guard payload.count > Self.largestPiece else {
            outbox.add(CPGMulticast(groupName: name, pid: pid, node: node, count: payload.count), payload: payload)
            return
        }
        var start = 0
        while start < payload.count {
            let end = min(start + Self.largestPiece, payload.count)
            let part: CPGPartialMulticast.Part = start == 0 ? .first : end == payload.count ? .last : .continued
            outbox.add(
                CPGPartialMulticast(
                    groupName: name,
                    pid: pid,
                    node: node,
                    part: part,
                    count: end - start,
                    total: payload.count
                ),
                payload: UnsafeRawBufferPointer(rebasing: payload[start..<end])
            )
            start = end
        }
    }

    // MARK: Changes

    private mutating func join(_ process: CPGProcess, _ name: CPGName, reason: CPGReason, into effects: inout ProcessorEffects) {
        switch table.insert(process, into: name) {
        case .known: return
        case .refused: effects.report(.refused(.tableFull(service: "cpg", from: process.node)))
        case .added:
            if process.node == node {
                let place = ownProcesses.firstIndex { $0.pid > process.pid } ?? ownProcesses.count
                ownProcesses.insert(CPGJoinList.Entry(pid: process.pid, groupName: name), at: place)
            }
            guard let group = table[name] else { return }
            report(group, members: group.processes, joined: [.init(process: process, reason: reason)], into: &effects)
        }
    }

    private mutating func leave(_ process: CPGProcess, _ name: CPGName, reason: CPGReason, into effects: inout ProcessorEffects) {
        guard let group = remove(process, from: name) else { return }
        report(group, members: group.processes, left: [.init(process: process, reason: reason)], into: &effects)
    }

    @discardableResult
    private mutating func remove(_ process: CPGProcess, from name: CPGName) -> ProcessGroupTable.Group? {
        partialMessages.remove(process, in: name)
        if process.node == node { ownProcesses.removeAll { $0.pid == process.pid && $0.groupName == name } }
        return table.remove(process, from: name)
    }

    private func report(
        _ group: ProcessGroupTable.Group,
        members: [CPGProcess],
        joined: [CPGMembership.Change] = [],
        left: [CPGMembership.Change] = [],
        into effects: inout ProcessorEffects
    ) {
        effects.report(.group(CPGMembership(group: group.text, members: members, joined: joined, left: left)))
    }
}

/// A process in a group.
private struct CPGMember: Hashable {
    var group: CPGName
    var process: CPGProcess
}

/// A client of this node in a group.
struct CPGClient: Hashable, Sendable {
    /// The group.
    var group: CPGName
    /// Its process id.
    var pid: UInt32
}
