import ClusterServices
import TotemWire
import WireFormat

/// What a member said, by Totem group and bytes.
struct SaidMessage: Equatable, CustomStringConvertible {
    var group: ServiceGroup
    var bytes: [UInt8]
    var generation = TotemGeneration.corosync3
    var byteOrder = ByteOrder.little

    /// Which message it is.
    var kind: ServiceMessageKind? {
        bytes.withUnsafeBytes { try? ServiceMessage(matching: $0, in: group, of: generation, byteOrder: byteOrder).kind }
    }

    /// The message as it is read.
    var message: ServiceMessage? {
        bytes.withUnsafeBytes { try? ServiceMessage(reading: $0, in: group, of: generation, byteOrder: byteOrder) }
    }

    /// The message without what the daemons leave unset or as it was: padding, what lies behind texts and behind used entries of lists.
    var withoutGarbage: SaidMessage {
        var copy = self
        guard var message, let kind else { return self }
        let cleaner = bytes.withUnsafeBytes { buffer -> Cleaner in
            var dissector = WireDissector(buffer, byteOrder: byteOrder, sink: Cleaner(bytes: bytes, kind: kind))
            try? message.visit(&dissector)
            return dissector.sink
        }
        copy.bytes = cleaner.bytes
        switch message.body {
        case .syncServiceBuild(let build): copy.clear(from: bytes.count - 4 * (SyncServiceBuild.capacity - Int(build.serviceListEntries)))
        case .cpgDownList(let list): copy.clear(from: bytes.count - 4 * (CPGDownList.capacity - Int(list.leftNodes)))
        case .cpgDownListOld(let list): copy.clear(from: bytes.count - 4 * (CPGDownList.capacity - Int(list.leftNodes)))
        default: break
        }
        return copy
    }

    private mutating func clear(from start: Int) {
        for index in max(0, start)..<max(0, start, bytes.count) { bytes[index] = 0 }
    }

    var description: String {
        "\(kind.map { "\($0.name)" } ?? "?") \(bytes.prefix(72).map { String($0, radix: 16) }.joined(separator: " "))"
    }

    /// Puts zeros where a daemon puts nothing.
    private struct Cleaner: FieldSink {
        var bytes: [UInt8]
        let kind: ServiceMessageKind

        mutating func field(_ name: StaticString, _ value: FieldValue, at range: ByteRange, _ format: FieldFormat) {
            switch format {
            case .padding:
                clear(range.range)
            case .text:
                let end = bytes[range.range].firstIndex(of: 0) ?? range.end
                clear(end..<range.end)
            default:
                if isUnset(name.description) { clear(range.range) }
            }
        }

        /// Fields that the daemons send without setting them: the result in a joinlist (cpg.c:893@wt), what a checkpoint that is none
        /// would be (ckpt.c:3522@wt), the version of the configuration in votequorum of corosync 1.
        private func isUnset(_ name: String) -> Bool {
            switch kind {
            case .cpgJoinList: name == "error"
            case .ckpt: name == "data"
            case .voteQuorumNodeInfo: name == "config_version"
            default: false
            }
        }

        private mutating func clear(_ range: Range<Int>) {
            for index in range { bytes[index] = 0 }
        }

        mutating func beginGroup(_ name: StaticString, _ kind: FieldGroup, at offset: Int) {}
        mutating func endGroup(at offset: Int) {}
    }
}
