/// Every family of runs there is.
public enum Families {
    /// All of them.
    public static var all: [any Scenario] { RingFamilies.all + LegacyFamilies.all + [LegacyFamilies.soak] + BridgedFamilies.all }

    /// Their names.
    public static var names: [String] { all.map(\.name) }
}
