import Testing

@testable import BridgeRuntime

@Suite struct StateFileTests {
    @Test func numbersSurviveAReopening() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/alpha.state"
        do {
            let file = try StateFile(path: path)
            file.store(17, .reliableSequence, of: 1)
            file.store(18, .reliableSequence, of: 2)
            file.store(4242, .ringSequence, of: 2)
            file.store(19, .reliableSequence, of: 2)
            // One writer at a time.
            #expect(throws: SystemCallError.self) { try StateFile(path: path) }
        }
        let again = try StateFile(path: path)
        #expect(again.all(.reliableSequence) == [1: 17, 2: 19])
        #expect(again.all(.ringSequence) == [2: 4242])
    }

    @Test func aFileOfSomethingElseIsStartedAnew() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("alpha.state", String(repeating: "x", count: 5000))
        #expect(try StateFile(path: path).all(.ringSequence).isEmpty)
    }

    @Test func aFullFileSaysSo() throws {
        let folder = try TemporaryFolder()
        let file = try StateFile(path: "\(folder.path)/alpha.state")
        for node in 0..<8192 { #expect(file.store(1, .ringSequence, of: UInt32(node))) }
        #expect(!file.store(1, .ringSequence, of: 9000))
        #expect(file.store(2, .ringSequence, of: 17))
    }
}
