import CaptureSupport
import Testing
import TotemWire
import WireFormat

private let captures = CaptureSupport.captureNames(prefix: "corosync/3.1.7-udp")

@Suite struct RecordedServiceMessages {
    @Test(arguments: captures) func everyMessageIsKnownAndKeepsItsBytes(_ name: String) throws {
        for message in try RecordedRing.messages(of: name) {
            try message.payload.withUnsafeBytes { payload in
                let group = try #require(message.group.withUnsafeBytes { ServiceGroup(name: $0) })
                let read = try ServiceMessage(reading: payload, in: group, of: .corosync3, byteOrder: message.byteOrder)
                #expect(read.kind != nil)
                #expect(read.trailing.count == 0)
                #expect(try written(read, message.payload, message.byteOrder) == message.payload)
            }
        }
    }

    @Test func theFormationOfARingHasTheMessagesThatWereSent() throws {
        var counts: [ServiceMessageKind: Int] = [:]
        for message in try RecordedRing.messages(of: "corosync/3.1.7-udpu-form.pcap") {
            let kind = try message.payload.withUnsafeBytes { payload in
                let group = try #require(message.group.withUnsafeBytes { ServiceGroup(name: $0) })
                return try ServiceMessage(reading: payload, in: group, of: .corosync3, byteOrder: message.byteOrder).kind
            }
            counts[try #require(kind), default: 0] += 1
        }
        // Three singleton rings, one of two and one of three: eight synchronisations by one node each, with four services.
        #expect(counts[.syncServiceBuild] == 8)
        #expect(counts[.syncBarrier] == 32)
        #expect(counts[.cmapMulticast] == 8)
        #expect(counts[.cpgDownList] == 8)
        // Two records for each, and one more when each of the three daemons starts.
        #expect(counts[.voteQuorumNodeInfo] == 19)
        #expect(counts.count == 5)
    }

    @Test func noTruncationCrashesOrPasses() throws {
        var seen: Set<ServiceMessageKind> = []
        for name in captures {
            for message in try RecordedRing.messages(of: name) {
                let group = try #require(message.group.withUnsafeBytes { ServiceGroup(name: $0) })
                let kind = try message.payload.withUnsafeBytes {
                    try ServiceMessage(matching: $0, in: group, of: .corosync3, byteOrder: message.byteOrder).kind
                }
                guard seen.insert(try #require(kind)).inserted else { continue }
                for count in 0..<message.payload.count {
                    for byteOrder in [ByteOrder.little, .big] {
                        message.payload[..<count].withUnsafeBytes { bytes in
                            let read = try? ServiceMessage(reading: bytes, in: group, of: .corosync3, byteOrder: byteOrder)
                            if byteOrder == message.byteOrder { #expect(read == nil) }
                        }
                    }
                }
            }
        }
        #expect(
            seen.isSuperset(of: [
                .syncBarrier, .syncServiceBuild, .cmapMulticast, .cpgDownList, .cpgJoinList, .cpgMulticast, .cpgProcessJoin,
                .cpgProcessLeave, .voteQuorumNodeInfo,
            ])
        )
    }
}

@Suite struct ServiceLayouts {
    /// Sizes of the structures in bytes (reference/totem-services.md 7.1-7.5).
    @Test(arguments: [
        (ServiceMessageKind.syncBarrier, 32), (.syncServiceBuild, 552), (.cpgProcessJoin, 168), (.cpgProcessLeave, 168),
        (.cpgJoinList, 24), (.cpgMulticast, 184), (.cpgPartialMulticast, 200), (.cpgDownList, 1568), (.cpgDownListOld, 1560),
        (.voteQuorumNodeInfo, 32), (.voteQuorumReconfigure, 32), (.voteQuorumQdeviceRegistration, 280),
        (.voteQuorumQdeviceReconfigure, 528), (.cfgRingReenable, 32), (.cfgKillNode, 288), (.cfgShutdown, 16), (.cfgReload, 32),
        (.cfgCryptoReconfig, 24), (.cmapMulticast, 48),
    ]) func structuresHaveTheDaemonsSizes(_ kind: ServiceMessageKind, _ size: Int) throws {
        var bytes = [UInt8](repeating: 0, count: 2048)
        if kind == .cpgJoinList { bytes[8] = 24 }
        let consumed = try bytes.withUnsafeBytes { buffer in
            var message = ServiceMessage(kind, of: .corosync3)
            var reader = WireReader(buffer)
            try message.visit(&reader)
            if case .cpgMulticast(let mcast) = message.body { return mcast.message.start }
            if case .cpgPartialMulticast(let mcast) = message.body { return mcast.message.start }
            return message.trailing.start
        }
        #expect(consumed == size)
    }

    @Test func everyKindIsFoundByItsHeader() {
        let ids: [(ServiceGroup, UInt32, ServiceMessageKind?)] = [
            (.synchronisation, 0, .syncBarrier), (.synchronisation, 1, .syncServiceBuild), (.synchronisation, 2, nil),
            (.services, 0x0, .cmapMulticast), (.services, 0x1_0001, .cfgKillNode), (.services, 0x2_0003, .cpgMulticast),
            (.services, 0x2_0007, nil), (.services, 0x3_0000, nil), (.services, 0x5_0000, .voteQuorumNodeInfo),
            (.services, 0x5_0003, .voteQuorumQdeviceReconfigure), (.services, 0xFFFF_0000, nil),
        ]
        for (group, id, kind) in ids {
            var header = ServiceHeader()
            header.id = id
            #expect(ServiceMessageKind(header, in: group) == kind)
        }
    }

    @Test func ownMessagesAreWhatTheDaemonsSend() throws {
        // 3.1.7-udpu-form, frame 3.
        #expect(
            try VoteQuorumNodeInfo(nodeid: 1, votes: 1, expectedVotes: 3, flags: .first).bytes()
                == [0, 0, 5, 0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0]
        )
        let absent = CMAPMulticast(.sync, configurationVersion: nil)
        #expect(try absent.bytes().count == 328)
        #expect(absent.configurationVersion == 0)
        let present = CMAPMulticast(.sync, configurationVersion: 0x0102_0304_0506_0708)
        #expect(try present.bytes().count == 336)
        #expect(present.configurationVersion == 0x0102_0304_0506_0708)
    }

    @Test func aMulticastThatClaimsMoreThanThereIsIsRefused() throws {
        let name = try #require(CPGName("g".utf8))
        let bytes = try CPGMulticast(groupName: name, pid: 1, node: 1, count: 5).bytes(payload: [1, 2, 3, 4])
        #expect(throws: WireError(.outOfBounds(value: 5, limit: 4), field: "msglen", offset: 152)) {
            try bytes.withUnsafeBytes { _ = try CPGMulticast(reading: $0) }
        }
    }

    @Test func namesAreComparedWithoutWhatLiesBehindThem() throws {
        var one = try #require(CPGName("alpha".utf8))
        let other = try #require(CPGName("alpha".utf8))
        one.value[100] = 7
        #expect(one == other)
        #expect(Set([one, other]).count == 1)
        #expect(one.description == "alpha")
        #expect(CPGName([0x61, 0xFF, 0x5C])?.description == "a\\xFF\\\\")
        #expect(CPGName(repeatElement(0x61, count: 129)) == nil)
    }

    @Test func bothByteOrdersAreRead() throws {
        let record = VoteQuorumNodeInfo(nodeid: 0x0102_0304, votes: 2, expectedVotes: 9, flags: [.quorate, .leaving])
        let bytes = try record.bytes(byteOrder: .big)
        #expect(try bytes.withUnsafeBytes { try VoteQuorumNodeInfo(reading: $0, byteOrder: .big) } == record)
        #expect(bytes[16..<20].elementsEqual([1, 2, 3, 4]))
    }
}
