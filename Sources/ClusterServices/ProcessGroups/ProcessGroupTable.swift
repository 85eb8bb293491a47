import TotemWire

/// The processes of every group, by group.
///
/// A group's name becomes a `String` once, when its first process appears; messages find their group by the bytes of the name.
struct ProcessGroupTable: Sendable {
    /// A group that has processes.
    struct Group: Sendable {
        /// Its name on the wire.
        var name: CPGName
        /// Its name as text.
        var text: String
        /// Its processes, ascending.
        var processes: [CPGProcess] = []

        /// Whether `node` has a process in the group.
        func hasProcess(of node: UInt32) -> Bool {
            let first = place(of: CPGProcess(node: node, pid: 0))
            return first < processes.count && processes[first].node == node
        }

        /// Index of the first process that is not less than `process`.
        func place(of process: CPGProcess) -> Int {
            var low = 0
            var high = processes.count
            while low < high {
                let middle = (low + high) / 2
                if processes[middle] < process { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    /// Most processes of one node; a joinlist of the largest size has 7281.
    static let processLimit = 8192

    private var groups: [Group] = []
    private var indices: [CPGName: Int] = [:]
    private var processCounts: [UInt32: Int] = [:]

    /// The group `name`, or nil when it has no process.
    subscript(name: CPGName) -> Group? { indices[name].map { groups[$0] } }

    /// Calls `body` with the group `name` without a copy; nil when it has no process.
    func withGroup<Result>(_ name: CPGName, _ body: (Group) -> Result) -> Result? {
        guard let index = indices[name] else { return nil }
        return body(groups[index])
    }

    /// All groups, by name as the daemons order them.
    var sorted: [Group] { groups.sorted { $0.name < $1.name } }

    /// What became of a process that was to be added.
    enum Insertion: Sendable {
        case added, known, refused
    }

    /// Adds `process` to group `name`.
    mutating func insert(_ process: CPGProcess, into name: CPGName) -> Insertion {
        let count = processCounts[process.node, default: 0]
        let index: Int
        if let found = indices[name] {
            index = found
        } else {
            guard count < Self.processLimit else { return .refused }
            index = groups.count
            groups.append(Group(name: name, text: name.description))
            indices[name] = index
        }
        let place = groups[index].place(of: process)
        if place < groups[index].processes.count, groups[index].processes[place] == process { return .known }
        guard count < Self.processLimit else { return .refused }
        groups[index].processes.insert(process, at: place)
        processCounts[process.node] = count + 1
        return .added
    }

    /// Removes `process` from group `name`; nil when it is not there, otherwise the group as it is then.
    mutating func remove(_ process: CPGProcess, from name: CPGName) -> Group? {
        guard let index = indices[name] else { return nil }
        let place = groups[index].place(of: process)
        guard place < groups[index].processes.count, groups[index].processes[place] == process else { return nil }
        groups[index].processes.remove(at: place)
        let count = processCounts[process.node, default: 1] - 1
        processCounts[process.node] = count == 0 ? nil : count
        let group = groups[index]
        if group.processes.isEmpty {
            groups.swapAt(index, groups.count - 1)
            groups.removeLast()
            indices[name] = nil
            if index < groups.count { indices[groups[index].name] = index }
        }
        return group
    }
}
