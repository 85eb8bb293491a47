import Glibc

/// The parser that this process feeds, by the environment variable FUZZ_TARGET.
private let target: any FuzzTarget = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTargets.named(name) else {
        let text = "fuzz: set FUZZ_TARGET to one of \(FuzzTargets.names.joined(separator: " "))\n"
        write(STDERR_FILENO, text, text.utf8.count)
        exit(2)
    }
    return target
}()

/// What libFuzzer calls first. With FUZZ_CAPTURES and FUZZ_SEEDS the process writes what fuzzing starts from, and ends.
@_cdecl("LLVMFuzzerInitialize")
public func initialise(_ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
    guard let captures = getenv("FUZZ_CAPTURES"), let seeds = getenv("FUZZ_SEEDS") else { return 0 }
    do {
        try Corpus(captures: String(cString: captures), folder: String(cString: seeds)).write()
        exit(0)
    } catch {
        let text = "fuzz: \(error)\n"
        write(STDERR_FILENO, text, text.utf8.count)
        exit(2)
    }
}

/// What libFuzzer calls with every input. A parser that traps, or an invariant that does not hold, ends the process, and libFuzzer
/// keeps the input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}
