/// Prints figures and remembers whether one of them is a reason to fail.
struct Report {
    /// The visitor may cost so many times what hand-written code costs. It does cost 1 to 9 times that; where specialisation is
    /// lost and each field goes through a witness table, 17 times and more.
    static let visitorLimit = 12.0

    private(set) var failures: [String] = []

    mutating func compare(_ name: String, visitor: Measurement, plain: Measurement) {
        let ratio = visitor.nanoseconds / plain.nanoseconds
        print("\(name): visitor \(visitor); by hand \(plain); ratio \(rounded(ratio, 2))")
        if ratio > Self.visitorLimit {
            fail("\(name): the visitor costs \(rounded(ratio, 1)) times the hand-written code: specialisation across modules is lost")
        }
        if visitor.allocations > 0.01 {
            fail("\(name): the visitor allocates")
        }
    }

    func note(_ name: String, _ measurement: Measurement) {
        print("\(name): \(measurement)")
    }

    mutating func fail(_ reason: String) {
        failures.append(reason)
    }
}
