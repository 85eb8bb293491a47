/// What a processor has counted since it was made.
public struct TotemCounters: Sendable, Hashable {
    /// Tokens accepted.
    public var tokens: UInt64 = 0
    /// Tokens ignored: copies, of another ring, or while none is expected.
    public var tokensDiscarded: UInt64 = 0
    /// Messages that this processor put on the ring.
    public var messagesSent: UInt64 = 0
    /// Messages taken from the ring, copies not counted.
    public var messagesReceived: UInt64 = 0
    /// Messages that were already there, or that do not belong to what is going on.
    public var messagesDiscarded: UInt64 = 0
    /// Messages sent again because someone asked for them.
    public var retransmissions: UInt64 = 0
    /// Messages asked for.
    public var retransmissionRequests: UInt64 = 0
    /// Messages handed to the application.
    public var messagesDelivered: UInt64 = 0
    /// How often the token was lost, in any state.
    public var tokenLosses: UInt64 = 0
    /// Packets refused; each is reported as `TotemEvent.refused`.
    public var refused: UInt64 = 0
    /// JOINs dropped because they may have waited while the process was paused.
    public var joinsFlushed: UInt64 = 0
    /// Rings formed.
    public var ringsFormed: UInt64 = 0
}
