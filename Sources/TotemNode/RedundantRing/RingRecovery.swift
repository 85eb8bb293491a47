import EngineKit
import TotemWire
import WireFormat

/// How networks become faulty, and how they are used again: corosync 1 and 2 send a test round over the faulty network from time to
/// time, and use the network again when the test has come back (totemrrp.c:650-680, 1880-1922@fl; 650-683, 1917-1990@ne).
extension RedundantRing {
    mutating func markFaulty(_ interface: Int, at now: Instant, into effects: inout Output) {
        networks[interface].isFaulty = true
        if let check = configuration.autorecoveryCheck { deadlines[.test(of: interface)] = now + check }
        effects.report(.faulty(interface: interface))
    }

    /// Sends a test round over network `interface`, if it still is faulty.
    mutating func test(_ interface: Int, at now: Instant, into effects: inout Output) {
        guard networks.indices.contains(interface), networks[interface].isFaulty, let check = configuration.autorecoveryCheck else {
            return
        }
        if tokenTarget == configuration.nodeID {
            reenable(interface, into: &effects)
            return
        }
        send(.active, number: Int32(interface), over: interface, into: &effects)
        deadlines[.test(of: interface)] = now + check
    }

    /// A ring test came over network `interface`: one's own has gone all the way round, which all are told; another's goes on.
    mutating func receive(
        _ kind: RingTestKind,
        _ byteOrder: ByteOrder,
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        over interface: Int,
        into effects: inout Output
    ) {
        let test: RingTest
        do throws(WireError) {
            test = try RingTest(reading: datagram, byteOrder: byteOrder)
        } catch {
            effects.report(.refused(error, from: source))
            return
        }
        let isOwn = UInt32(bitPattern: test.activator) == configuration.nodeID
        switch kind {
        case .active:
            if isOwn {
                send(.activate, number: test.ringNumber, over: interface, into: &effects)
            } else {
                forward(datagram, interface, &effects)
            }
        case .activate:
            reenable(interface, into: &effects)
            if !isOwn { forward(datagram, interface, &effects) }
        }
    }

    /// Uses `interface` again, or all networks, as if they never had failed: what the daemons do when a test has gone round, and when
    /// an administrator says so (totemrrp.c:860-871, 1244-1250@wt; passive_ring_reenable :1350@ne, active_ring_reenable :1863@ne).
    public mutating func reenable(_ interface: Int? = nil, into effects: inout Output) {
        for index in networks.indices {
            if configuration.mode == .passive {
                networks[index].tokensReceived = 0
                networks[index].multicastsReceived = 0
            }
            guard interface == nil || interface == index else { continue }
            if networks[index].isFaulty { effects.report(.recovered(interface: index)) }
            networks[index].isFaulty = false
            networks[index].hasLastToken = false
            networks[index].problemCount = 0
            deadlines[.test(of: index)] = nil
        }
    }

    private func send(_ kind: RingTestKind, number: Int32, over interface: Int, into effects: inout Output) {
        guard let tokenTarget else { return }
        var test = RingTest(kind, ringNumber: number, activator: Int32(bitPattern: configuration.nodeID))
        // Three numbers have room in any store.
        guard let range = try? effects.keep(&test) else { return }
        effects.transmit(range, to: RingDestination(interface: interface, node: tokenTarget))
    }

    private func forward(_ datagram: UnsafeRawBufferPointer, _ interface: Int, _ effects: inout Output) {
        guard let tokenTarget, tokenTarget != configuration.nodeID else { return }
        effects.transmit(effects.keep(datagram), to: RingDestination(interface: interface, node: tokenTarget))
    }
}
