import Bridging

extension SideID {
    /// The legacy side.
    public static var cman: SideID { .first }
    /// The Totem side.
    public static var corosync: SideID { .second }
}
