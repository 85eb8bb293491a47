/// Every family of runs there is.
public enum Families {
    /// All of them.
    public static var all: [any Scenario] {
        RingFamilies.all + LegacyFamilies.all + LegacyFamilies.mixed + LegacyFamilies.historicalOnly + [LegacyFamilies.soak]
            + BridgedFamilies.all
    }

    /// Their names.
    public static var names: [String] { all.map(\.name) }
}
