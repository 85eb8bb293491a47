/// The dialects as a listing.
public struct DialectList {
    private let catalogue: FieldCatalogue

    /// A listing of the dialects of which `catalogue` has messages.
    public init(_ catalogue: FieldCatalogue) {
        self.catalogue = catalogue
    }

    /// Appends a paragraph a dialect, or one JSON array.
    public func append(to text: inout TextBuffer, asJSON: Bool) {
        if asJSON { text.append("[") }
        let dialects = Dialect.allCases.filter { dialect in catalogue.messages.contains { $0.dialects.contains(dialect) } }
        for (index, dialect) in dialects.enumerated() {
            let messages = catalogue.messages.filter { $0.dialects.contains(dialect) }.map(\.qualifiedName)
            let evidence = dialect.isRecorded ? "recorded" : "constructed"
            if asJSON {
                text.append(index == 0 ? "\n" : ",\n")
                text.append("{\"name\":")
                text.append(quoted: dialect.name)
                text.append(",\"speakers\":")
                text.append(quoted: dialect.speakers)
                text.append(",\"recognition\":")
                text.append(quoted: dialect.recognition)
                text.append(",\"evidence\":")
                text.append(quoted: evidence.utf8)
                text.append(",\"messages\":")
                text.append(quoted: messages)
                text.append("}")
            } else {
                if index > 0 { text.append("\n") }
                text.append("\(dialect.name)\n  spoken by      \(dialect.speakers)\n  recognised by  \(dialect.recognition)\n")
                text.append("  evidence       \(evidence)\n  messages       \(messages.joined(separator: " "))\n")
            }
        }
        if asJSON { text.append("\n]\n") }
    }
}

extension Dialect {
    /// Whether its layouts are proven by packets that its own daemons sent; otherwise packets were made from what the sources say.
    public var isRecorded: Bool {
        switch self {
        case .cman2a, .cman2b, .cman3, .cman4: false
        case .cman5, .totem2005, .openais080, .corosync1, .corosync2, .corosync3: true
        }
    }

    /// What speaks it.
    var speakers: StaticString {
        switch self {
        case .cman2a: "kernel cman 2.0.1, 2004-06-24 to 2004-08-24"
        case .cman2b: "kernel cman 2.0.1, 2004-08-24 to 2004-10-19"
        case .cman3: "kernel cman 3.0.1, 2004-10-19 to 2004-12-01"
        case .cman4: "kernel cman 4.0.1, 2004-12-01 to 2005-01-24"
        case .cman5: "kernel cman 5.0.1 (RHEL 4) and the cman daemon of 2005"
        case .totem2005: "openais of August 2005 below the first cman on Totem"
        case .openais080: "openais 0.80 (RHEL 5)"
        case .corosync1: "corosync 1.4 (RHEL 6)"
        case .corosync2: "corosync 2 (RHEL 7)"
        case .corosync3: "corosync 3, over udp, udpu and knet"
        }
    }

    /// What of a packet says that it is of this dialect.
    var recognition: StaticString {
        switch self {
        case .cman2a: "header of 16 bytes without an acknowledgement, command and length that fit; there is no magic number"
        case .cman2b: "header of 16 bytes with an acknowledgement, command and length that fit; there is no magic number"
        case .cman3: "header of 20 bytes, command and length that fit, and a JOINREQ of version 3 or a message that only cman-3 has so"
        case .cman4: "header of 20 bytes, command and length that fit, and a JOINREQ of version 4 or a message that only cman-4 has so"
        case .cman5: "header of 20 bytes, command and length that fit, or a cluster number that was seen on the port before"
        case .totem2005: "type, endian detector and lengths of its own header; always in a security envelope"
        case .openais080: "endian detector 0xff22 and ring ids with addresses; the same bytes as corosync-1"
        case .corosync1: "endian detector 0xff22 and ring ids with addresses; the same bytes as openais-0.80"
        case .corosync2: "endian detector 0xff22 behind fe fe 00 00, and processor names with a count of addresses"
        case .corosync3: "magic number 0xc070 and version 3, in either byte order"
        }
    }
}
