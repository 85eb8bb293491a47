import TotemSecurity
import WireFormat

/// Datagrams of one conversation that may be in an envelope. Nothing random can be authentic; what is opened must be a part of it.
struct SecurityTarget: FuzzTarget {
    private static let keys = [
        SecurityKey(clusterName: "alpha"), SecurityKey(name: "short", bytes: Array(1...32)),
        SecurityKey(name: "long", bytes: (0..<1024).map { UInt8(truncatingIfNeeded: $0) }),
    ]

    func run(_ input: UnsafeRawBufferPointer) {
        var opener = SecurityOpener(keys: Self.keys)
        let source = Endpoint(IPAddress(ipv4: 0x0A00_0001), 5405)
        let destination = Endpoint(IPAddress(ipv4: 0x0A00_0002), 5405)
        var choices = ChoiceReader(input)
        let cut = choices.choice(3)
        for _ in 0..<2 {
            let opened = opener.open(
                choices.rest,
                from: source,
                to: destination,
                wholeCount: cut == 0 ? choices.rest.count + 20 : nil
            )
            if case .opened(let content) = opened, content.plaintext.count > choices.rest.count { fatalError("longer than its envelope") }
        }
    }
}
