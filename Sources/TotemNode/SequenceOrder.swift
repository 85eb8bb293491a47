/// Order of message and token sequence numbers, which roll over: `left` comes before `right` when the way forward from left to right
/// is the shorter one. Within a window of half the numbers this agrees with sq_lt_compare (sq.h:76@ma), which shifts both operands.
@inline(__always)
func precedes(_ left: UInt32, _ right: UInt32) -> Bool {
    Int32(bitPattern: left &- right) < 0
}

/// The earlier of two sequence numbers.
@inline(__always)
func earlier(_ left: UInt32, _ right: UInt32) -> UInt32 {
    precedes(right, left) ? right : left
}
