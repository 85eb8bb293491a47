import CaptureSupport
import Dissection
import Foundation
import Testing

/// docs/wireshark-names.md against our catalogue and Wireshark's.
@Suite struct WiresharkNamesTests {
    /// What `tshark -G fields | grep corosync` of 4.0.17 lists, without the protocol and the dot.
    static let totemsrp = """
        message_header.type message_header.encapsulated message_header.endian_detector message_header.nodeid orf_token orf_token.seq \
        orf_token.aru orf_token.aru_addr orf_token.backlog orf_token.fcc orf_token.retrans_flg orf_token.rtr_list_entries memb_ring_id \
        memb_ring_id.seq ip_address ip_address.nodeid ip_address.family ip_address.addr ip_address.addr4 ip_address.addr4_padding \
        ip_address.addr6 mcast mcast.seq mcast.this_seqno mcast.node_id mcast.system_from mcast.guarantee memb_merge_detect srp_addr rtr_item \
        rtr_item.seq memb_join memb_join.proc_list_entries memb_join.failed_list_entries memb_join.ring_seq memb_commit_token \
        memb_commit_token.token_seq memb_commit_token.retrans_flg memb_commit_token.memb_index memb_commit_token.addr_entries \
        memb_commit_token_memb_entry memb_commit_token_memb_entry.aru memb_commit_token_memb_entry.high_delivered \
        memb_commit_token_memb_entry.received_flg token_hold_cancel
        """
    static let totemnet = "security_header_hash_digest security_header_salt security_crypto_type security_crypto_key"

    @Test func bothSidesHaveTheNames() throws {
        let text = try String(contentsOfFile: "\(CaptureSupport.folder)/../docs/wireshark-names.md", encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            line.split(separator: "|").prefix(2).map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
        }
        let theirs = Set(
            Self.totemsrp.split(separator: " ").map { "corosync_totemsrp.\($0)" }
                + Self.totemnet.split(separator: " ").map { "corosync_totemnet.\($0)" }
        )
        #expect(theirs.count == 49)
        for row in rows {
            #expect(DisplayFilterTests.catalogue.reference(row[0]) != nil, "\(row[0])")
            if row[1].hasPrefix("corosync") {
                #expect(theirs.contains(row[1]), "\(row[1])")
            } else {
                // Headers have Wireshark's names.
                #expect(row[0] == row[1])
            }
        }
        // Each of theirs is told, but for what the page names below the table.
        let missing = theirs.subtracting(rows.map { $0[1] })
        let told = ["corosync_totemnet.security_crypto_key", "corosync_totemsrp.ip_address.addr", "corosync_totemsrp.ip_address.addr6"]
        #expect(missing.sorted() == told)
    }
}
