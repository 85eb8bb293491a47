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
    /// A kind of message and its size in bytes without what a program sends, from the sections of the reference named below.
    struct Size: CustomTestStringConvertible, Sendable {
        var kind: ServiceMessageKind
        var generation: TotemGeneration
        var size: Int

        init(_ kind: ServiceMessageKind, _ generation: TotemGeneration, _ size: Int) {
            (self.kind, self.generation, self.size) = (kind, generation, size)
        }

        var testDescription: String { "\(kind.name) of \(generation.name)" }
    }

    static let sizes: [Size] = [
        // reference/totem-services.md 7.1
        .init(.syncBarrier, .openais080, 48), .init(.syncBarrier, .corosync1, 48), .init(.syncBarrier, .corosync2, 48),
        .init(.syncBarrier, .corosync3, 32), .init(.syncServiceBuild, .corosync2, 568), .init(.syncServiceBuild, .corosync3, 552),
        .init(.syncv2Barrier, .corosync1, 48), .init(.syncv2MembershipDetermine, .corosync1, 48),
        .init(.syncv2ServiceBuild, .corosync1, 568), .init(.ykdState, .openais080, 8856), .init(.ykdAttempt, .openais080, 4),
        // 7.2
        .init(.cpgProcessJoin, .openais080, 168), .init(.cpgProcessLeave, .corosync3, 168), .init(.cpgJoinList, .openais080, 24),
        .init(.cpgJoinList, .corosync3, 24), .init(.cpgMulticast, .corosync1, 184), .init(.cpgPartialMulticast, .corosync2, 200),
        .init(.cpgDownList, .corosync1, 1568), .init(.cpgDownListOld, .openais080, 1560),
        // 7.3
        .init(.voteQuorumNodeInfo, .corosync1, 48), .init(.voteQuorumNodeInfo, .corosync3, 32),
        .init(.voteQuorumReconfigure, .corosync1, 32), .init(.voteQuorumReconfigure, .corosync2, 32),
        .init(.voteQuorumKillNode, .corosync1, 24), .init(.voteQuorumQdeviceRegistration, .corosync3, 280),
        .init(.voteQuorumQdeviceReconfigure, .corosync3, 528), .init(.voteQuorumQdeviceExtraInfo, .corosync3, 24),
        // 7.4, 7.5; pload.c:68@ma, services/pload.c:118@fl
        .init(.cfgRingReenable, .corosync3, 32), .init(.cfgKillNode, .corosync1, 288), .init(.cfgShutdown, .corosync3, 16),
        .init(.cfgCryptoSet, .corosync1, 24), .init(.cfgReload, .corosync2, 32), .init(.cfgCryptoReconfig, .corosync3, 24),
        .init(.cmapMulticast, .corosync3, 48), .init(.ploadStart, .corosync1, 32), .init(.ploadStart, .corosync3, 24),
        // 7.6; evt.c:328@wt, ipc_evt.h:271@wt, ckpt.c:648-772@wt, ipc_evs.h in both
        .init(.clmNodeJoin, .openais080, 392), .init(.evsMulticast, .openais080, 24), .init(.evsMulticast, .corosync1, 32),
        .init(.evt(.eventData), .openais080, 672), .init(.ckpt(.checkpointOpen), .openais080, 304),
        .init(.ckpt(.checkpointUnlink), .openais080, 296), .init(.ckpt(.checkpointRetentionDurationExpire), .openais080, 288),
        .init(.ckpt(.sectionCreate), .openais080, 312), .init(.ckpt(.syncCheckpoint), .openais080, 320),
        // 7.7, behind the header of 16 bytes; reference/ais-behaviour.md 4 and 8
        .init(.cman(.portOpened), .openais080, 18), .init(.cman(.barrier), .openais080, 54), .init(.cman(.barrier), .totem2005, 64),
        .init(.cman(.transition), .corosync1, 81), .init(.cman(.killNode), .openais080, 24), .init(.cman(.killNode), .totem2005, 24),
        .init(.cman(.leave), .totem2005, 20), .init(.cman(.reconfigure), .corosync1, 28), .init(.cman(.portEnquiry), .openais080, 17),
        .init(.cman(.portStatus), .openais080, 49), .init(.cman(.fenceStatus), .corosync1, 33), .init(.cman(.joinRequest), .totem2005, 68),
        .init(.cman(.data), .openais080, 16),
    ]

    @Test(arguments: sizes) func structuresHaveTheDaemonsSizes(_ expected: Size) throws {
        var bytes = [UInt8](repeating: 0, count: 10_000)
        if expected.kind == .cpgJoinList { bytes[expected.generation == .corosync3 ? 8 : 0] = 24 }
        let consumed = try bytes.withUnsafeBytes { buffer in
            var message = ServiceMessage(expected.kind, of: expected.generation)
            var reader = WireReader(buffer)
            try message.visit(&reader)
            return message.rest.start
        }
        #expect(consumed == expected.size)
    }

    /// Whatever a header can say is either a message of the generation or unknown, and no message is out of reach.
    @Test(arguments: TotemGeneration.allCases) func everyKindOfAServiceIsFoundByItsHeader(_ generation: TotemGeneration) {
        var found: Set<ServiceMessageKind> = []
        for service: UInt32 in 0..<20 {
            for function: UInt32 in 0..<40 {
                var header = ServiceHeader(of: generation)
                header.id = service << 16 | function
                if let kind = ServiceMessageKind(header, in: .services) { found.insert(kind) }
            }
        }
        let own = Set(ServiceMessageKind.all(of: generation).filter { $0.service != nil })
        if generation == .openais080 {
            // Rings may mix it with corosync 1.
            #expect(found.isSuperset(of: own))
            #expect(found.subtracting(own).allSatisfy { $0.generations.contains(.corosync1) })
        } else {
            #expect(found == own)
        }
    }

    @Test(arguments: TotemGeneration.allCases) func everyKindIsDescribedWithoutBytes(_ generation: TotemGeneration) throws {
        let kinds = ServiceMessageKind.all(of: generation)
        #expect(Set(kinds.map { $0.name.description }).count == kinds.count)
        for kind in kinds {
            var message = ServiceMessage(kind, of: generation)
            var describer = WireDescriber(FieldCounter())
            try message.visit(&describer)
            #expect(describer.sink.names.count > 0, "\(kind.name)")
            #expect(kind.name.description.hasPrefix(kind.protocolName.description + "."), "\(kind.name)")
        }
    }

    /// docs/services.md has a row for every message with its fields by generation, or names those of which there is the header only.
    @Test(arguments: TotemGeneration.allCases) func thePageListsEveryMessage(_ generation: TotemGeneration) throws {
        let short = generation == .totem2005 ? "2005" : generation.name.description.split(separator: "-")[1]
        let page = try CaptureSupport.text(of: "../docs/services.md").split(separator: "\n")
        for kind in ServiceMessageKind.all(of: generation) {
            if case .opaque = kind {
                #expect(page.contains { $0.contains(kind.name.description) }, "\(kind.name)")
                continue
            }
            let row = page.first { line in
                let cells = line.split(separator: "|")
                guard cells.count > 1, cells[0] == " `\(kind.name)` " else { return false }
                return cells[1].split { $0 == " " || $0 == "," }.contains(Substring(short))
            }
            let fields = try #require(row, "\(kind.name) of \(generation.name)")
            var message = ServiceMessage(kind, of: generation)
            var describer = WireDescriber(FieldCounter())
            try message.visit(&describer)
            var names = describer.sink.names.filter { !$0.hasPrefix("header.") && !$0.hasSuffix(".length") && $0 != "trailing" }
            if case .cman = kind { names.removeAll { ["tgtport", "srcport", "flags", "srcid", "tgtid", "cmd"].contains($0) } }
            for name in names { #expect(fields.contains("`\(name)`"), "\(kind.name) of \(generation.name)") }
        }
    }

    /// Collects the names of fields that are no padding.
    private struct FieldCounter: LayoutSink {
        var names: [String] = []
        private var path: [String] = []

        mutating func field(_ name: StaticString, type: String, _ format: FieldFormat) {
            if case .padding = format { return }
            names.append((path + [name.description]).joined(separator: "."))
        }
        mutating func beginGroup(_ name: StaticString, isList: Bool) { path.append(name.description + (isList ? "[]" : "")) }
        mutating func endGroup() { path.removeLast() }
    }

    /// Constructed, because no recording has them: an event, and a session of ykd.
    @Test func whatWasNotRecordedIsReadWhereTheSourcesPutIt() throws {
        var event = [UInt8](repeating: 0, count: 680)
        event[0...3] = [0xA8, 2, 0, 0]
        event[8...11] = [0, 0, 4, 0]
        event[56] = 4
        event[64...67] = [0x63, 0x68, 0x61, 0x6E]
        event[328] = 7
        event[640] = 3
        event[672...679] = [1, 2, 3, 4, 5, 6, 7, 8]
        let read = try event.withUnsafeBytes { try ServiceMessage(reading: $0, in: .services, of: .openais080, byteOrder: .little) }
        guard case .evtEventData(let data) = read.body else {
            Issue.record("not an event")
            return
        }
        #expect(data.channelName.content.elementsEqual("chan".utf8) && data.eventID == 7 && data.priority == 3)
        #expect(event[data.body.range].elementsEqual(1...8))
        var state = [UInt8](repeating: 0, count: 8856)
        state[4] = 1
        state[132] = 1
        state[136] = 9
        state[8852] = 10
        let ykd = try state.withUnsafeBytes { try ServiceMessage(reading: $0, in: .ykd, of: .openais080, byteOrder: .little) }
        guard case .ykd(let message) = ykd.body else {
            Issue.record("not a state")
            return
        }
        #expect(ykd.kind == .ykdState && message.state?.lastPrimary.memberList.first == 1)
        #expect(message.state?.lastPrimary.memberListEntries == 1 && message.state?.lastPrimary.sessionID == 9)
        #expect(message.state?.sessionID == 10)
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
