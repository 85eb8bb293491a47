/// The checksum of IP and UDP headers (RFC 1071).
package struct InternetChecksum {
    private var sum: UInt64 = 0
    private var isOdd = false

    /// Nothing added yet.
    package init() {}

    /// Adds bytes; runs of any length may follow each other.
    package mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            sum &+= isOdd ? UInt64(byte) : UInt64(byte) << 8
            isOdd.toggle()
        }
    }

    /// The sum as it goes into a header.
    package var value: UInt16 {
        var folded = sum
        while folded > 0xFFFF { folded = folded & 0xFFFF + folded >> 16 }
        return ~UInt16(folded)
    }
}
