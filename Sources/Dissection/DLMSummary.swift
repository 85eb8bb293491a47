import CmanWire
import WireFormat

/// Says on one line what a record of the DLM means.
enum DLMSummary {
    /// What `record` says; its name too when the packet takes its own from another.
    static func append(_ record: DLMRecord, isFirst: Bool, to text: inout TextBuffer) {
        if !isFirst {
            text.append(", ")
            text.append(record.kind?.name ?? "dlm.unknown")
            text.append(" ")
        }
        text.append("lockspace ")
        text.append(hexadecimal: UInt64(record.header.lockspace))
        if record.generation == .second {
            text.append(" from ")
            text.append(record.header.nodeID)
        } else {
            text.append(" lkid ")
            text.append(hexadecimal: UInt64(record.header.lockID))
        }
        append(record.body, to: &text)
        let name = record.resourceName
        guard !name.isEmpty else { return }
        text.append(" ")
        name.withUnsafeBytes { text.append(foreign: $0) }
    }

    private static func append(_ body: DLMRecord.Body, to text: inout TextBuffer) {
        switch body {
        case .request(let request): mode(UInt64(request.requestedMode), to: &text)
        case .reply(let reply):
            text.append(" status ")
            text.append(reply.status)
            text.append(" node ")
            text.append(reply.nodeID)
        case .recovery(let recovery):
            text.append(" ")
            text.append(meaningOf: UInt64(recovery.subcommand), .labelled(DLMRecoveryCommand.label))
            text.append(" id ")
            text.append(recovery.messageID)
        case .query(let query):
            text.append(" of lock ")
            text.append(hexadecimal: UInt64(query.masterLockID))
        case .queryReply(let reply):
            text.append(" ")
            text.append(reply.locks.count)
            text.append(" locks")
        case .message(let message):
            text.append(" lkid ")
            text.append(hexadecimal: UInt64(message.lockID))
            mode(UInt64(UInt8(truncatingIfNeeded: message.requestedMode)), to: &text)
            if message.result != 0 {
                text.append(" result ")
                text.append(message.result)
            }
        case .recoveryMessage(let message):
            text.append(" result ")
            text.append(message.result)
        case .unknown: break
        }
    }

    private static func mode(_ number: UInt64, to text: inout TextBuffer) {
        text.append(" mode ")
        text.append(meaningOf: number, .labelled(DLMLabels.mode))
    }
}
