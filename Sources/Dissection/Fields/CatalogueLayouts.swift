import Captures
import CmanWire
import TotemSecurity
import TotemWire
import WireFormat

extension CatalogueBuilder {
    /// Every layout that packets are dissected by. Kinds of messages are enumerated, so that a new one is listed by itself.
    mutating func addAllLayouts() {
        addHeaders()
        addEnvelopes()
        addCman()
        addDLM()
        addTotem(OpenAIS2005.self)
        addTotem(OpenAIS080.self)
        addTotem(Corosync1.self)
        addTotem(Corosync2.self)
        addTotem(Corosync3.self)
        addRingTests()
        addKnet()
        addProcessGroups()
        addServices()
        let data = PacketDissector.dataProtocol
        add(data, dialects: []) { (describer: inout Describer) throws(WireError) in
            var bytes = ByteRange()
            try describer.payload(data, &bytes)
        }
    }

    private mutating func addHeaders() {
        for layer in FrameProtocol.allCases { add(layer.name) }
        var found: [(FrameProtocol, LayoutCollector)] = []
        for layer in [FrameProtocol.ethernet, .vlan, .linuxCooked, .ipv4, .ipv6, .udp, .tcp] {
            FrameHeaderLayouts.describe(LayoutCollector(layer.name)) { described, describer in
                if described == layer { found.append((layer, describer.sink)) }
            }
        }
        for (_, layout) in found { add(layout, of: nil, dialects: []) }
    }

    private mutating func addCman() {
        for generation in CmanGeneration.allCases {
            for kind in CmanMessageKind.allCases where kind.exists(in: generation) {
                addCman(CmanBody(kind), kind.name, of: generation)
            }
            addCman(.data, "data", of: generation)
        }
        let userland = [Dialect.cman5]
        for kind in GroupdMessage.Kind.allCases {
            add(GroupdMessage.protocolName, message: kind.name.description, dialects: userland) {
                (describer: inout Describer) throws(WireError) in
                var message = GroupdMessage()
                try message.visit(&describer)
            }
        }
        add(ClvmdMessage.protocolName, of: "cman.data", dialects: userland) { (describer: inout Describer) throws(WireError) in
            var message = ClvmdMessage()
            try message.visit(&describer)
        }
    }

    private mutating func addCman(_ body: CmanBody, _ name: StaticString, of generation: CmanGeneration) {
        add(CmanPacket.protocolName, message: name.description, dialects: [Dialect(generation)]) {
            (describer: inout Describer) throws(WireError) in
            var packet = CmanPacket(of: generation)
            packet.body = body
            try packet.visit(&describer)
        }
    }

    private mutating func addDLM() {
        for generation in DLMGeneration.allCases {
            for kind in DLMMessageKind.allCases where kind.generations.contains(generation) {
                add(DLMRecord.protocolName, message: kind.name.description, isCarried: true, dialects: []) {
                    (describer: inout Describer) throws(WireError) in
                    var record = DLMRecord(kind, of: generation)
                    try record.visit(&describer)
                }
            }
        }
    }

    private mutating func addTotem<D: TotemDialect>(_: D.Type) {
        for kind in TotemMessageKind.allCases {
            add(OrfToken<D>.protocolName, message: kind.name.description, dialects: [Dialect(D.generation)]) {
                (describer: inout Describer) throws(WireError) in
                var message = TotemMessage<D>(kind)
                try message.visit(&describer)
                guard kind == .mcast else { return }
                var recovered = Mcast<D>()
                try describer.structure("recovered", &recovered)
            }
        }
    }

    private mutating func addRingTests() {
        for kind in RingTestKind.allCases {
            add(RingTest.protocolName, message: kind.name.description, dialects: [.corosync1, .corosync2]) {
                (describer: inout Describer) throws(WireError) in
                var message = RingTest(kind, ringNumber: 0, activator: 0)
                try message.visit(&describer)
            }
        }
    }

    private mutating func addKnet() {
        for kind in KnetPacketKind.allCases {
            add(KnetPacket.protocolName, message: kind.name.description, dialects: [.corosync3]) {
                (describer: inout Describer) throws(WireError) in
                var packet = KnetPacket(kind)
                try packet.visit(&describer)
            }
        }
    }

    private mutating func addProcessGroups() {
        let dialects = TotemGeneration.allCases.map { Dialect($0) }
        add(ProcessGroupPacket.protocolName, of: "totem.mcast", dialects: dialects) { (describer: inout Describer) throws(WireError) in
            var packet = ProcessGroupPacket()
            try packet.visit(&describer)
        }
        add(GroupHeader.protocolName, message: "totempg.message", isCarried: true, dialects: dialects) {
            (describer: inout Describer) throws(WireError) in
            var header = GroupHeader()
            try header.visit(&describer)
        }
    }

    private mutating func addServices() {
        for generation in TotemGeneration.allCases {
            let dialects = [Dialect(generation)]
            for kind in ServiceMessageKind.all(of: generation) {
                add(kind.protocolName, message: kind.name.description, isCarried: true, dialects: dialects) {
                    (describer: inout Describer) throws(WireError) in
                    var message = ServiceMessage(kind, of: generation)
                    try message.visit(&describer)
                }
            }
            for group in ServiceGroup.allCases {
                add(group.protocolName, dialects: dialects) { (describer: inout Describer) throws(WireError) in
                    var message = ServiceMessage(nil, of: generation)
                    try message.visit(&describer)
                }
            }
        }
    }

    private mutating func addEnvelopes() {
        for hash in SecurityHash.allCases {
            addEnvelope(SecurityScheme(.corosync20, cipher: .aes256, hash: hash), [.corosync2])
            addEnvelope(SecurityScheme(.corosync22, cipher: .aes256, hash: hash), [.corosync2])
            addEnvelope(SecurityScheme(.corosync23, cipher: .aes256, hash: hash), [.corosync2])
            addEnvelope(SecurityScheme(.knet, cipher: .aes256, hash: hash), [.corosync3])
        }
        addEnvelope(.openais, [.totem2005, .openais080])
        addEnvelope(.corosync1, [.corosync1])
        addEnvelope(.corosync1NSS, [.corosync1])
        addEnvelope(.corosync2Plain, [.corosync2])
    }

    private mutating func addEnvelope(_ scheme: SecurityScheme, _ dialects: [Dialect]) {
        var layout = LayoutCollector(EnvelopeLayout.protocolName)
        EnvelopeLayout.describe(scheme, to: &layout)
        add(layout, of: nil, dialects: dialects)
    }
}
