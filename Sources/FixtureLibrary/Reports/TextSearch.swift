extension StringProtocol where SubSequence == Substring {
    /// What follows the first `marker`; nil without one. It compares bytes, which is all that logs need and quick.
    func following(_ marker: StaticString) -> Substring? {
        let bytes = UnsafeBufferPointer(start: marker.utf8Start, count: marker.utf8CodeUnitCount)
        guard let first = bytes.first else { return self[startIndex...] }
        var start = utf8.startIndex
        while let found = utf8[start...].firstIndex(of: first) {
            if utf8[found...].starts(with: bytes) { return self[utf8.index(found, offsetBy: bytes.count)...] }
            start = utf8.index(after: found)
        }
        return nil
    }
}

extension Substring {
    /// Without the blanks at both ends.
    var trimmingBlanks: Substring {
        var result = self.drop { $0 == " " || $0 == "\t" }
        while let last = result.last, last == " " || last == "\t" { result.removeLast() }
        return result
    }
}
