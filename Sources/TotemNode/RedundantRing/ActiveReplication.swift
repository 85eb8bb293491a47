import EngineKit
import TotemWire
import WireFormat

/// Active replication (totemrrp.c:904-1250@wt, 1366-1840@fl, 1380-1890@ne).
extension RedundantRing {
    /// Reads the token in `datagram`; one that cannot be read is the processor's to refuse.
    mutating func readToken(_ datagram: UnsafeRawBufferPointer, _ byteOrder: ByteOrder) -> Bool {
        guard datagram.count <= Dialect.tokenSizeLimit else { return false }
        var reader = WireReader(datagram, byteOrder: byteOrder)
        do throws(WireError) {
            try scratch.visit(&reader)
            return true
        } catch {
            return false
        }
    }

    /// Takes the token that was read, and says whether it has come over every network that is not faulty.
    ///
    /// Tokens are numbered from 0 in every ring. The daemons take a lower number for no new token, and so keep one from the processor
    /// when a network fails while a ring forms ("we don't know when token resets occur", totemrrp.c:1707@ne); the token says of
    /// which ring it is, and that is looked at here. A token that is older than the last one passes: the processor knows that it is.
    mutating func receiveToken(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        over interface: Int,
        at now: Instant
    ) -> Bool {
        if scratch.ring != token.ring {
            guard scratch.ring.sequence >= token.ring.sequence else { return true }
            keepToken(datagram, from: source, over: interface, at: now)
        } else if precedes(token.sequence, scratch.tokenSequence) {
            keepToken(datagram, from: source, over: interface, at: now)
        } else if scratch.tokenSequence != token.sequence {
            return true
        }
        networks[interface].hasLastToken = true
        for network in networks where !network.hasLastToken && !network.isFaulty { return false }
        deadlines[.tokenExpired] = nil
        return true
    }

    private mutating func keepToken(_ datagram: UnsafeRawBufferPointer, from source: Endpoint, over interface: Int, at now: Instant) {
        token.ring = scratch.ring
        token.sequence = scratch.tokenSequence
        token.bytes.removeAll(keepingCapacity: true)
        token.bytes.append(contentsOf: datagram)
        token.source = source
        token.interface = interface
        for index in networks.indices { networks[index].hasLastToken = false }
        deadlines[.tokenExpired] = now + configuration.tokenExpired
    }

    /// The token did not come over all networks in time: those that lack it have a problem, and the processor takes it as it is
    /// (timer_function_active_token_expired totemrrp.c:1467@ne).
    mutating func tokenExpired(at now: Instant, into effects: inout Output) {
        for interface in networks.indices where !networks[interface].hasLastToken {
            networks[interface].problemCount += 1
            if deadlines[.problemDecrement] == nil { deadlines[.problemDecrement] = now + configuration.problemCountTimeout }
            effects.report(
                .problem(
                    interface: interface,
                    tokenSequence: token.sequence,
                    count: networks[interface].problemCount,
                    threshold: configuration.problemCountThreshold
                )
            )
        }
        for interface in networks.indices
        where !networks[interface].isFaulty && networks[interface].problemCount >= configuration.problemCountThreshold {
            markFaulty(interface, at: now, into: &effects)
            deadlines[.problemDecrement] = nil
        }
        let range = token.bytes.withUnsafeBytes { effects.keep($0) }
        effects.report(.token(range, from: token.source, interface: token.interface))
    }

    /// One problem of every network is forgotten (timer_function_active_problem_decrementer totemrrp.c:1431@ne).
    mutating func forgetProblems(at now: Instant, into effects: inout Output) {
        var wereProblems = false
        for interface in networks.indices where networks[interface].problemCount > 0 {
            wereProblems = true
            networks[interface].problemCount -= 1
            effects.report(.problemForgotten(interface: interface, count: networks[interface].problemCount))
        }
        if wereProblems { deadlines[.problemDecrement] = now + configuration.problemCountTimeout }
    }
}
