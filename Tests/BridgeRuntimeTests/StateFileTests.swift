import Foundation
import Glibc
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

    /// The path may be that of a file which somebody needs.
    @Test(arguments: [5, 5000]) func aFileOfSomethingElseIsLeftAlone(count: Int) throws {
        let folder = try TemporaryFolder()
        let content = String(repeating: "x", count: count)
        let path = try folder.write("alpha.state", content)
        #expect(throws: SystemCallError.self) { try StateFile(path: path) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == content)
    }

    @Test func aCutFileKeepsWhatIsLeft() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/alpha.state"
        do {
            let file = try StateFile(path: path)
            file.store(17, .reliableSequence, of: 1)
            file.store(18, .reliableSequence, of: 2)
        }
        #expect(truncate(path, 32) == 0)
        let again = try StateFile(path: path)
        #expect(again.all(.reliableSequence) == [1: 17])
        #expect(again.store(19, .reliableSequence, of: 2))
        #expect(again.all(.reliableSequence) == [1: 17, 2: 19])
    }

    @Test func aFullFileSaysSo() throws {
        let folder = try TemporaryFolder()
        let file = try StateFile(path: "\(folder.path)/alpha.state")
        for node in 0..<8192 { #expect(file.store(1, .ringSequence, of: UInt32(node))) }
        #expect(!file.store(1, .ringSequence, of: 9000))
        #expect(file.store(2, .ringSequence, of: 17))
    }
}
