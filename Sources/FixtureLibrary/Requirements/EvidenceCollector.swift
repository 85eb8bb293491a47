import Captures
import Dissection

/// Collects from the packets of a capture the signs that requirements ask for.
struct EvidenceCollector {
    /// What was found.
    private(set) var found: Set<Evidence> = []

    private var fields: [String: [Evidence]] = [:]
    private var notes: [String: [Evidence]] = [:]

    /// Looks for what `requirements` ask for.
    init(_ requirements: [Requirement]) {
        for sign in Set(requirements.flatMap(\.evidence)) {
            switch sign {
            case .field(let message, _, _): fields[message, default: []].append(sign)
            case .note(let message, _): notes[message, default: []].append(sign)
            case .message, .check, .dialect, .protocolName, .named: break
            }
        }
    }

    /// Looks at one packet.
    mutating func take(_ packet: Dissection) {
        let message = packet.message.description
        if let dialect = packet.dialect { found.insert(.dialect(dialect.name.description)) }
        if packet.dialect != nil {
            for layer in packet.content.protocols { found.insert(.protocolName(layer.name.description)) }
            for name in packet.upperProtocols { found.insert(.protocolName(name.description)) }
        }
        found.insert(.message(message))
        if let wanted = fields[message] { fields[message] = unmet(wanted, in: packet, 0..<packet.ownNodes) }
        if !packet.notes.isEmpty {
            for name in [message, Evidence.anyMessage] {
                guard let wanted = notes[name] else { continue }
                let texts = packet.notes.strings
                for case .note(_, let prefix) in wanted where texts.contains(where: { $0.hasPrefix(prefix) }) {
                    found.insert(.note(message: name, prefix: prefix))
                }
            }
        }
        for carried in packet.carries {
            let name = carried.message.description
            found.insert(.message(name))
            if let wanted = fields[name] { fields[name] = unmet(wanted, in: packet, carried.contentNodes) }
        }
    }

    /// Those of `wanted` that the fields at `nodes` do not show.
    private mutating func unmet(_ wanted: [Evidence], in packet: Dissection, _ nodes: Range<Int>) -> [Evidence]? {
        let values = PacketFields(packet.tree, nodes: nodes)
        let rest = wanted.filter { sign in
            guard case .field(_, let name, let value) = sign, values.number(name).map({ String($0) }) ?? values.text(name) == value else {
                return true
            }
            found.insert(sign)
            return false
        }
        return rest.isEmpty ? nil : rest
    }

    /// Adds the checks that held.
    mutating func add(_ checks: [CheckResult]) {
        for result in checks { if case .passed = result.outcome { found.insert(.check(result.check)) } }
    }

    /// Ids of the requirements that the capture exercises; `named` are those that `fixture.yaml` names.
    func exercised(of requirements: [Requirement], named: [String]) -> [String] {
        requirements.filter { requirement in
            guard !requirement.evidence.isEmpty else { return false }
            return requirement.evidence.allSatisfy { $0 == .named ? named.contains(requirement.id) : found.contains($0) }
        }.map(\.id)
    }
}
