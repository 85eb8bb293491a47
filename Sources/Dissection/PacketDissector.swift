import Captures
import TotemSecurity
import TotemWire
import WireFormat

/// Says what packets mean, one after the other in the order of the file. It remembers what later packets refer to: conversations,
/// rings, and messages of which parts came. All of that is bounded.
public struct PacketDissector {
    private var decapsulator = Decapsulator()
    private var cman = CmanDissector()
    private var totem: TotemDissector
    private var dlm = DLMDissector()
    private var firstTime: Int64?

    private let source: (any PacketSource)?

    /// A dissector that has seen nothing. It asks `source` for the names of the packets' files and interfaces, and tries `keys` on what is
    /// encrypted; the empty key it tries unasked.
    public init(source: (any PacketSource)? = nil, keys: [SecurityKey] = []) {
        self.source = source
        totem = TotemDissector(keys: keys)
    }

    /// What of packets is looked at.
    public var interest = Interest.everything
    /// Fields whose values results keep by name. What of packets they need is looked at too; without the interest in all fields, results
    /// have these alone.
    public var selection: FieldSelection?
    /// Whether results have the frame's bytes and the fields of its headers too (`Dissection.headers`).
    public var keepsFrames = false

    /// Dissects `packet` into `result`.
    public mutating func dissect(_ packet: CapturedPacket, into result: Dissection) {
        decapsulator.decapsulate(packet, into: &result.content)
        let start = firstTime ?? packet.time
        firstTime = start
        result.begin(packet, firstTime: start)
        if result.inputCount <= result.input || result.interface != nil { nameOrigin(of: result) }
        result.interest = selection.map { interest.union($0.interest) } ?? interest
        let keepsNodes = !result.interest.isDisjoint(with: [.fields, .text])
        result.wantsFields = result.interest.contains(.fields) || selection?.hasFields == true
        result.tree.keep(nodes: keepsNodes, selection)
        result.headers.keep(nodes: keepsFrames, selection)
        if keepsFrames || selection?.hasHeaders == true {
            result.headers.beginBytes(packet.bytes, .frame)
            FrameHeaders.dissect(packet, result.content, into: result.headers)
        }
        guard !result.interest.isEmpty else { return }
        if result.interest.contains(.text) { noteHeaders(of: result) }
        switch result.content.kind {
        case .datagram:
            result.message = "unknown"
            decapsulator.withPayload(of: result.content, in: packet) { payload in
                let outcome = totem.dissect(payload, into: result)
                if case .recognised = outcome { return }
                if cman.dissect(payload, into: result) { return }
                if case .encrypted(let suspicion) = outcome { return totem.describe(suspicion, into: result) }
                result.detail.append(result.content.length)
                result.detail.append(" bytes")
            }
        case .fragment: result.message = "fragment"
        case .icmp: result.message = "icmp"
        case .arp: result.message = "arp"
        case .segment:
            decapsulator.withPayload(of: result.content, in: packet) { payload in
                if dlm.dissect(payload, into: result) { return }
                result.detail.append(result.content.length)
                result.detail.append(" bytes of TCP")
            }
        case .other:
            if case .unsupported(let number) = packet.linkType {
                result.notes.add {
                    $0.append("link type ")
                    $0.append(number)
                    $0.append(" is not taken apart")
                }
            }
        }
        if !result.isTakenApart { appendUnclaimed(packet, into: result) }
    }

    /// What is wrong with the headers below cluster protocols, or remarkable about them.
    private func noteHeaders(of result: Dissection) {
        if let problem = result.content.problem { result.problems.add { $0.append(problem.description) } }
        let (fragments, abandoned) = (result.content.fragments, result.content.abandonedDatagrams)
        if fragments > 1 {
            result.notes.add {
                $0.append("put together from ")
                $0.append(fragments)
                $0.append(" IP fragments")
            }
        }
        if abandoned > 0 {
            result.notes.add {
                $0.append(abandoned)
                $0.append(" unfinished IP datagrams given up")
            }
        }
    }

    /// Shows what no protocol claims.
    private func appendUnclaimed(_ packet: CapturedPacket, into result: Dissection) {
        if result.content.kind == .datagram || result.content.kind == .segment {
            decapsulator.withPayload(of: result.content, in: packet) { appendData($0, into: result) }
        } else if result.content.rest.count > 0 {
            appendData(UnsafeRawBufferPointer(rebasing: packet.bytes[result.content.rest.range]), into: result)
        }
    }

    /// Asks for names when a packet comes from where none came before.
    private func nameOrigin(of result: Dissection) {
        guard let source else { return }
        if result.inputCount <= result.input { result.inputNames = source.inputs }
        if let interface = result.interface, result.interfaceNames.count <= interface {
            result.interfaceNames = source.interfaces.map(\.name)
        }
    }

    /// Bytes that no protocol claims, as a field, so that they are in every listing.
    private func appendData(_ bytes: UnsafeRawBufferPointer, into result: Dissection) {
        guard bytes.count > 0 else { return }
        result.upperProtocols.append(Self.dataProtocol)
        guard result.wantsFields else { return }
        result.tree.beginBytes(bytes, .datagram)
        result.tree.beginProtocol(Self.dataProtocol, at: 0)
        let range = ByteRange(start: 0, count: bytes.count)
        result.tree.field(Self.dataProtocol, .bytes(range), at: range, .decimal)
        result.tree.endProtocol(at: bytes.count)
        result.ownNodes = result.tree.nodes.count
    }

    /// What bytes are called that no protocol claims, as tshark does.
    static let dataProtocol: StaticString = "data"
}
