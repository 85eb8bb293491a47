/// One of the two sides of a bridge. The core treats both alike; which protocol a side speaks is told by `SideTraits`.
public enum SideID: UInt8, Sendable, Hashable, CaseIterable {
    case first
    case second

    /// The side across the bridge.
    public var other: SideID { self == .first ? .second : .first }
}

/// A value for each side.
public struct PerSide<Value> {
    /// The first side's.
    public var first: Value
    /// The second side's.
    public var second: Value

    /// A value for each side.
    public init(first: Value, second: Value) {
        self.first = first
        self.second = second
    }

    /// The same value for both sides.
    public init(both value: Value) {
        self.init(first: value, second: value)
    }

    /// The value of `side`.
    public subscript(side: SideID) -> Value {
        _read {
            switch side {
            case .first: yield first
            case .second: yield second
            }
        }
        _modify {
            switch side {
            case .first: yield &first
            case .second: yield &second
            }
        }
    }
}

extension PerSide: Sendable where Value: Sendable {}
extension PerSide: Equatable where Value: Equatable {}
extension PerSide: Hashable where Value: Hashable {}
