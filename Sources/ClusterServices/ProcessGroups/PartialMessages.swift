import TotemWire
import WireFormat

/// Puts together messages that came in pieces (`cpg.partial-mcast`). The daemons leave that to their clients
/// (lib/cpg.c:458-510 of 3.1.7); here the processor is its own client.
struct PartialMessages: Sendable {
    /// Whose message it is.
    private struct Key: Hashable, Sendable {
        var group: CPGName
        var process: CPGProcess
    }

    private struct Assembly: Sendable {
        var bytes: [UInt8]
        var total: Int
    }

    /// What a piece brought about.
    enum Outcome: Sendable {
        /// More is to come.
        case incomplete
        /// The message is whole.
        case whole([UInt8])
        /// The piece does not follow the ones before it; what was there is thrown away.
        case broken
        /// Too many messages are under way at a time.
        case tableFull
    }

    /// Longest message that is put together, in bytes.
    static let largestMessage = 1 << 20
    /// Most messages under way at a time.
    static let assemblyLimit = 64

    private var assemblies: [Key: Assembly] = [:]

    /// Takes `bytes`, the piece that `message` describes.
    mutating func receive(_ message: CPGPartialMulticast, _ bytes: UnsafeRawBufferPointer, from node: UInt32) -> Outcome {
        let key = Key(group: message.groupName, process: CPGProcess(node: node, pid: message.pid))
        let part = CPGPartialMulticast.Part(rawValue: message.type)
        var assembly: Assembly
        if part == .first {
            assemblies[key] = nil
            guard assemblies.count < Self.assemblyLimit else { return .tableFull }
            assembly = Assembly(bytes: [], total: Int(message.msglen))
        } else {
            guard part != nil, let started = assemblies.removeValue(forKey: key) else { return .broken }
            assembly = started
        }
        guard assembly.total <= Self.largestMessage, assembly.total == Int(message.msglen) else { return .broken }
        guard assembly.bytes.count + bytes.count <= assembly.total else { return .broken }
        assembly.bytes.append(contentsOf: bytes)
        if part == .last { return assembly.bytes.count == assembly.total ? .whole(assembly.bytes) : .broken }
        assemblies[key] = assembly
        return .incomplete
    }

    /// Forgets the pieces of all processes of `nodes`, of those too that were in no group.
    mutating func remove(nodes: Set<UInt32>) {
        assemblies = assemblies.filter { !nodes.contains($0.key.process.node) }
    }

    /// Forgets the pieces of `process` in group `name`.
    mutating func remove(_ process: CPGProcess, in name: CPGName) {
        assemblies[Key(group: name, process: process)] = nil
    }
}
