/// A parser with the invariants that must hold whatever it is fed.
protocol FuzzTarget: Sendable {
    /// Feeds it one input.
    func run(_ input: UnsafeRawBufferPointer)
}

enum FuzzTargets {
    static let names = ["cman", "totem", "services", "security", "knet", "dlm", "capture", "dissector"]

    static func named(_ name: String) -> (any FuzzTarget)? {
        switch name {
        case "cman": CmanTarget()
        case "totem": TotemTarget()
        case "services": ServicesTarget()
        case "security": SecurityTarget()
        case "knet": KnetTarget()
        case "dlm": DLMTarget()
        case "capture": CaptureTarget()
        case "dissector": DissectorTarget()
        default: nil
        }
    }
}

/// An input whose first bytes choose between variants.
struct ChoiceReader {
    private(set) var rest: UnsafeRawBufferPointer

    init(_ input: UnsafeRawBufferPointer) {
        rest = input
    }

    /// A number below `count`, taken from the next byte; 0 when there is none.
    mutating func choice(_ count: Int) -> Int {
        guard let first = rest.first else { return 0 }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
        return Int(first) % count
    }

    /// One of `all`, taken from the next byte.
    mutating func choice<Choices: RandomAccessCollection>(of all: Choices) -> Choices.Element {
        all[all.index(all.startIndex, offsetBy: choice(all.count))]
    }
}

/// Ends the process when parse then write gives other bytes.
func expectSame(_ written: [UInt8], _ input: UnsafeRawBufferPointer, _ what: @autoclosure () -> String) {
    guard written.elementsEqual(input) else { fatalError("\(what()): written \(written), read \(Array(input))") }
}
