import Testing
import TotemSecurity

@Suite struct SecurityKeys {
    @Test func keysWithOtherBytesDiffer() {
        #expect(SecurityKey(name: "a", bytes: [1]) != SecurityKey(name: "a", bytes: [2]))
    }
}
