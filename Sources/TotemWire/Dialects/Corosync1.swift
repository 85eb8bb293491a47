import WireFormat

/// corosync 1.4 "flatiron" of RHEL 6: the messages of openais 0.80, byte for byte, and ring tests (`RingTest`)
/// (reference/totem-wire.md 3 and 4; totemsrp.c:176-262@fl).
public enum Corosync1: TotemDialect {
    public typealias Header = EndianDetectorHeader
    public typealias Address = OpenAIS080.Address
    public typealias Ring = AddressedRingID

    @inlinable
    public static var generation: TotemGeneration { .corosync1 }

    @inlinable
    public static var typeOffset: Int { 0 }

    @inlinable
    public static func ring(of representative: Address, sequence: UInt64) -> Ring {
        OpenAIS080.ring(of: representative, sequence: sequence)
    }

    @inlinable
    public static func byteOrder(of datagram: UnsafeRawBufferPointer) -> ByteOrder? {
        EndianDetector.byteOrder(of: datagram)
    }
}
