/// Equal-sized datagrams one behind the other: each run works on another one, so that nothing is known before it.
struct DatagramRing {
    static let count = 64

    let length: Int
    private var bytes: [UInt8]

    /// Copies of `datagram`, which differ in the byte at `offset`.
    init(_ datagram: [UInt8], differingAt offset: Int) {
        length = datagram.count
        bytes = []
        for number in 0..<Self.count {
            var copy = datagram
            copy[offset] = UInt8(number)
            bytes += copy
        }
    }

    /// Lets `body` work on the datagrams; it gets them all and where run `run` finds its own.
    mutating func withDatagrams(_ body: (UnsafeMutableRawBufferPointer, (_ run: Int) -> Range<Int>) -> Void) {
        let length = length
        bytes.withUnsafeMutableBytes { all in
            body(all) { run in
                let start = (run % Self.count) * length
                return start..<start + length
            }
        }
    }
}
