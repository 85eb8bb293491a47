import Testing
import TotemSecurity

@Suite struct SecurityKeys {
    @Test func keysWithOtherBytesDiffer() {
        #expect(SecurityKey(name: "a", bytes: [1]) != SecurityKey(name: "a", bytes: [2]))
    }

    /// Keys seen on packets (reference/totem-wire.md 2.1).
    @Test(arguments: [
        ("alpha", "alpha\0\0\0"), ("beta", "beta\0\0\0\0"), ("example.com", "example.com\0"), ("oacluster", "oacluster\0\0\0"),
    ])
    func clusterNames(name: String, key: String) {
        #expect(SecurityKey(clusterName: name).bytes == Array(key.utf8))
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
