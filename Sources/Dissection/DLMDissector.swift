import Captures
import CmanWire
import WireFormat

/// Recognises streams of the kernel DLM, takes the records off them and says what they mean. A record appears in the frame that brings
/// its last missing byte.
struct DLMDissector {
    /// What is known of one direction of a connection.
    private struct Stream {
        /// The generation of its records; nil before the first one.
        var generation: DLMGeneration?
        /// Whether the next byte is the first of a record.
        var isSynchronised = false
        /// Bytes passed over since the last record.
        var passedOver = 0
        /// It is another protocol's.
        var isForeign = false
    }

    /// A stream in which so many bytes hold no record is no DLM's.
    private static let searchLimit = 64 << 10
    private static let segmentName: StaticString = "dlm.segment"

    private var connections = TCPStreams()
    private var streams: [Stream] = []

    /// Whether the segment is the DLM's; then `result` holds what it means.
    mutating func dissect(_ payload: UnsafeRawBufferPointer, into result: Dissection) -> Bool {
        let content = result.content
        guard
            content.sourcePort == DLMGeneration.usualPort || content.destinationPort == DLMGeneration.usualPort
                || connections.follows(content) || Self.beginsWithVersion(payload),
            let arrival = connections.insert(content, payload, time: result.time)
        else { return false }
        if streams.count <= arrival.stream {
            streams.append(contentsOf: repeatElement(Stream(), count: arrival.stream + 1 - streams.count))
        }
        if let beginning = arrival.beginning {
            streams[arrival.stream] = Stream()
            streams[arrival.stream].isSynchronised = beginning == .connection
        }
        takeRecords(of: arrival.stream, into: result)
        var hasSkipped = false
        while let gap = connections.skipGap(of: arrival.stream, time: result.time) {
            streams[arrival.stream].isSynchronised = false
            if streams[arrival.stream].generation != nil { noteGap(gap.missing, unused: gap.unused, into: result) }
            takeRecords(of: arrival.stream, into: result)
            hasSkipped = true
        }
        guard streams[arrival.stream].generation != nil else { return false }
        result.upperProtocols.append(DLMRecord.protocolName)
        if result.carries.isEmpty {
            result.message = Self.segmentName
            result.detail.append(content.length)
            result.detail.append(" bytes")
        }
        note(arrival, isWaiting: !hasSkipped, into: result)
        return true
    }

    /// Whether a segment of an unusual port begins with a record of a generation that has a version.
    private static func beginsWithVersion(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard payload.count >= DLMFraming.longestHeader, case .record(let generation, _) = DLMFraming(startOf: payload) else {
            return false
        }
        return generation.version != nil
    }

    /// Takes what is whole off the stream.
    private mutating func takeRecords(of number: Int, into result: Dissection) {
        guard !streams[number].isForeign else {
            let ready = connections.withBytes(of: number) { $0.count }
            return connections.consume(ready, of: number)
        }
        var stream = streams[number]
        let taken = connections.withBytes(of: number) { bytes in
            var offset = 0
            while offset < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                switch Self.framing(of: rest, stream) {
                case .incomplete: return offset
                case .none:
                    guard stream.generation != nil || !stream.isSynchronised else {
                        stream.isForeign = true
                        return bytes.count
                    }
                    if stream.isSynchronised {
                        result.problems.add { $0.append("no record begins where the one before ends") }
                        stream.isSynchronised = false
                    }
                    offset += 1
                    stream.passedOver += 1
                    if stream.passedOver > Self.searchLimit {
                        stream.isForeign = true
                        return bytes.count
                    }
                case .record(let generation, let length):
                    guard length <= rest.count else { return offset }
                    if stream.passedOver > 0 { Self.notePassedOver(stream.passedOver, into: result) }
                    stream.passedOver = 0
                    stream.generation = generation
                    stream.isSynchronised = true
                    Self.dissect(UnsafeRawBufferPointer(rebasing: rest[..<length]), generation, into: result)
                    offset += length
                }
            }
            return offset
        }
        streams[number] = stream
        connections.consume(taken, of: number)
    }

    private static func framing(of bytes: UnsafeRawBufferPointer, _ stream: Stream) -> DLMFraming {
        if stream.isSynchronised, let generation = stream.generation { return DLMFraming(next: bytes, in: generation) }
        return DLMFraming(startOf: bytes)
    }

    /// Adds one record to what the packet carries.
    private static func dissect(_ bytes: UnsafeRawBufferPointer, _ generation: DLMGeneration, into result: Dissection) {
        let tree = result.tree
        let first = tree.nodes.count
        var record = DLMRecord(shapeOf: bytes, of: generation)
        tree.beginBytes(bytes)
        tree.beginProtocol(DLMRecord.protocolName, at: 0)
        var dissector = WireDissector(bytes, sink: tree)
        do throws(WireError) {
            defer { tree.endProtocol(at: dissector.offset) }
            try record.visit(&dissector)
        } catch {
            result.problems.add { $0.append(error.description) }
        }
        let name = record.kind?.name ?? "dlm.unknown"
        if record.kind == nil {
            result.problems.add {
                $0.append("unknown DLM command ")
                $0.append(record.header.command)
            }
        }
        if record.trailing.count > 0 {
            result.notes.add {
                $0.append(record.trailing.count)
                $0.append(" bytes behind the message")
            }
        }
        let isFirst = result.carries.isEmpty
        if isFirst { result.message = name }
        DLMSummary.append(record, isFirst: isFirst, to: &result.detail)
        result.carries.append(
            CarriedMessage(
                message: name,
                sender: record.header.nodeID,
                order: nil,
                nodes: first..<tree.nodes.count,
                contentNodes: first..<tree.nodes.count
            )
        )
    }

    // MARK: What is remarkable

    private func note(_ arrival: TCPArrival, isWaiting: Bool, into result: Dissection) {
        if arrival.beginning == .middle { result.notes.add { $0.append("the stream begins inside the connection") } }
        if arrival.isRepeated { result.notes.add { $0.append("repeats bytes of the stream") } }
        if arrival.missing > 0, isWaiting {
            result.notes.add {
                $0.append(arrival.missing)
                $0.append(arrival.isRefused ? " bytes before it are missing, no room to keep it" : " bytes before it are missing so far")
            }
        } else if arrival.isRefused {
            result.notes.add { $0.append("no room to keep it") }
        }
        if arrival.abandonedStreams > 0 {
            result.notes.add {
                $0.append(arrival.abandonedStreams)
                $0.append(" TCP streams given up")
            }
        }
    }

    private func noteGap(_ missing: Int, unused: Int, into result: Dissection) {
        result.notes.add {
            $0.append(missing)
            $0.append(" bytes of the stream are not recorded")
            if unused > 0 {
                $0.append(", ")
                $0.append(unused)
                $0.append(" of an unfinished record given up")
            }
        }
    }

    private static func notePassedOver(_ count: Int, into result: Dissection) {
        result.notes.add {
            $0.append(count)
            $0.append(" bytes before the first record passed over")
        }
    }
}
