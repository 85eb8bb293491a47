import Dissection
import Testing

/// The list of names against what packets have.
@Suite struct FieldCatalogueTests {
    static let catalogue = FieldCatalogue()

    @Test func everyFieldIsDescribedAndEveryDescriptionIsOfAField() {
        #expect(Self.catalogue.undescribed == [])
        #expect(Self.catalogue.unusedDescriptions == [])
    }

    @Test func namesAreUnique() {
        let names = Self.catalogue.fields.map(\.name)
        #expect(Set(names).count == names.count)
        let messages = Self.catalogue.messages.map { "\($0.protocol) \($0.name)" }
        #expect(Set(messages).count == messages.count)
    }

    /// Of every dialect and transport the captures in which clusters form, fall apart and say everything.
    static let captures = [
        "cman/02-join3-k.pcap", "cman/07-userdata.pcap", "cman/12b-ipv6.pcap", "cman/08-barrier-k.pcap", "cman/04d-nominate-k.pcap",
        "corosync/3.1.7-udpu-cpg.pcap", "corosync/3.1.7-udp-recovery.pcap", "corosync/3.1.7-udpu-confver.pcap",
        "corosync/3.1.7-knet-form.pcap", "corosync/3.1.7-knet-large.pcap", "corosync/3.1.7-udpu6-kill.pcap",
        "corosync/flatiron1.4-udp-form.pcap", "corosync/flatiron1.4-udp-rrppassive-form.pcap", "corosync/flatiron1.4-udp-recovery.pcap",
        "corosync/needle2.4-udp-form.pcap", "corosync/needle2.4-udp-rrppassive-cutring0.pcap", "openais/cman0-06267550e-join3.pcap",
        "openais/cman2-02a34df25-join3.pcap", "openais/cman2-02a34df25-barrier.pcap",
    ]

    /// Whatever any capture has is in the list: fields with their types, structures, protocols, messages.
    @Test(arguments: captures)
    func theListHasWhatPacketsHave(name: String) throws {
        // One of every message is enough: a layout does not change from packet to packet.
        var seen: Set<String> = []
        var gaps: Set<String> = []
        try FrameSource(name).dissect { dissection in
            let key = "\(dissection.dialect?.name.description ?? "") \(dissection.message) \(dissection.carries.map(\.message))"
            if seen.insert(key).inserted { gaps.formUnion(Self.catalogue.gaps(in: dissection)) }
        }
        #expect(gaps == [])
    }

    @Test func whatIsNearlyANameIsFound() {
        #expect(Self.catalogue.names(like: "cman.sequense").first == "cman.sequence")
        #expect(Self.catalogue.names(like: "ip.scr").contains("ip.src"))
        #expect(Self.catalogue.names(like: "procjoin").first == "cpg.procjoin")
        #expect(Self.catalogue.names(like: "nothing.that.is.like.anything.else").isEmpty)
    }
}
