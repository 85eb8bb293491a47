import Testing
import TotemSecurity

@Suite struct SecurityKeys {
    @Test func keysWithOtherBytesDiffer() {
        #expect(SecurityKey(name: "a", bytes: [1]) != SecurityKey(name: "a", bytes: [2]))
    }

    /// Keys seen on packets (reference/totem-wire.md 2.1).
    @Test(arguments: [("alpha", 3), ("beta", 4), ("example.com", 1), ("oacluster", 3)])
    func clusterNames(name: String, zeros: Int) {
        #expect(SecurityKey(clusterName: name).bytes == Array(name.utf8) + [UInt8](repeating: 0, count: zeros))
    }

    @Test func nothingShowsTheKey() {
        let key = SecurityKey(name: "authkey", bytes: Array("secretsecret".utf8))
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped, "\([key])"] {
            #expect(!text.contains("secret") && !text.contains("115"), "\(text)")
        }
    }
}
