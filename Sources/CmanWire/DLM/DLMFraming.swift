import WireFormat

/// Finds records in a stream of bytes.
public enum DLMFraming: Hashable, Sendable {
    /// A record of `length` bytes begins here.
    case record(DLMGeneration, length: Int)
    /// There are too few bytes to tell.
    case incomplete
    /// No record begins here.
    case none

    /// Bytes of the longest header.
    public static let longestHeader = 16

    /// What begins at the start of `bytes`, in a stream of which nothing is known, or into which a reader has to find its way again.
    /// Everything must fit: version, command, length, and what both say about the bytes behind the header.
    public init(startOf bytes: UnsafeRawBufferPointer) {
        self = .none
        // No bytes fit two generations: a version read as the header without one has an impossible length.
        for generation in DLMGeneration.allCases {
            switch DLMFraming(bytes, generation, isFitting: { $0.fits(bytes, in: generation) }) {
            case .record(.unversioned, let length) where bytes.count < length: self = .incomplete
            // The header behind a version looks the same; then the next record's version stands where this one would end.
            case .record(.unversioned, let length)
            where DLMGeneration.first.mayBegin(UnsafeRawBufferPointer(rebasing: bytes[(length - 4)...])):
                break
            case .record(let generation, let length):
                self = .record(generation, length: length)
                return
            case .incomplete: self = .incomplete
            case .none: break
            }
        }
    }

    /// What begins at the start of `bytes`, where the record before has just ended. Version and length must be possible; what else is
    /// wrong with a record is for its reader to say.
    public init(next bytes: UnsafeRawBufferPointer, in generation: DLMGeneration) {
        self.init(bytes, generation) { Int($0.length) >= generation.headerSize && $0.command > 0 && $0.command <= 32 }
    }

    private init(_ bytes: UnsafeRawBufferPointer, _ generation: DLMGeneration, isFitting: (DLMHeader) -> Bool) {
        guard generation.mayBegin(bytes) else {
            self = .none
            return
        }
        guard bytes.count >= generation.headerSize else {
            self = .incomplete
            return
        }
        var reader = WireReader(bytes)
        var header = DLMHeader()
        guard (try? header.visit(&reader, of: generation)) != nil, isFitting(header) else {
            self = .none
            return
        }
        self = .record(generation, length: Int(header.length))
    }
}

extension DLMGeneration {
    /// Whether `bytes` begin with its version, as far as they go.
    fileprivate func mayBegin(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let version else { return true }
        for index in 0..<min(4, bytes.count) where bytes[index] != UInt8(truncatingIfNeeded: version >> (8 * UInt32(index))) {
            return false
        }
        return true
    }
}

extension DLMHeader {
    /// Whether command and length go together, and with what there is of the record in `bytes`.
    fileprivate func fits(_ bytes: UnsafeRawBufferPointer, in generation: DLMGeneration) -> Bool {
        let content = Int(length) - generation.headerSize
        if generation == .second {
            guard command == Self.messageCommand || command == Self.recoveryCommand else { return false }
            guard content >= (command == Self.messageCommand ? DLMMessage.size : DLMRecoveryMessage.size) else { return false }
            guard bytes.count >= generation.headerSize + 4 else { return true }
            let type = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: generation.headerSize, as: UInt32.self))
            return DLMMessageKind(command: command, type: type) != nil
        }
        guard let kind = DLMMessageKind(rawValue: UInt16(command)), flags <= 1 else { return false }
        switch kind {
        case .lockReply: return content == DLMReply.size
        case .query: return content == DLMQuery.size
        case .queryReply: return content >= DLMQueryReply.size
        case .recoverMessage, .recoverReply:
            guard content >= DLMRecovery.size else { return false }
            let offset = generation.headerSize + DLMRecovery.dataLengthOffset
            guard bytes.count >= offset + 2 else { return true }
            return content == DLMRecovery.size + Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        default: return (DLMRequest.size...DLMRequest.size + DLMRequest.longestName).contains(content)
        }
    }
}

extension DLMMessageKind {
    /// The message of the next generation with `command` in the header and `type` behind it.
    init?(command: UInt8, type: UInt32) {
        guard (1...2).contains(command), (1...255).contains(type) else { return nil }
        self.init(rawValue: UInt16(command) << 8 | UInt16(type))
    }
}
