import Captures
import TotemWire
import WireFormat

// A packet of knet, and the message of corosync 3 that becomes whole with it.
extension TotemDissector {
    /// The longest message of corosync over knet (KNET_MAX_PACKET_SIZE).
    static let knetMessageLimit = 65_536

    /// A packet of knet, without any envelope.
    mutating func dissectKnet(_ bytes: UnsafeRawBufferPointer, from source: Endpoint, to destination: Endpoint, into result: Dissection) {
        result.upperProtocols.append(KnetPacket.protocolName)
        let byteOrder = KnetPacket.byteOrder(of: bytes)
        var packet = KnetPacket()
        do throws(WireError) {
            if result.wantsFields {
                result.tree.beginProtocol(KnetPacket.protocolName, at: 0)
                var dissector = WireDissector(bytes, byteOrder: byteOrder, sink: result.tree)
                defer { endProtocol(at: dissector.offset, into: result) }
                try packet.visit(&dissector)
            } else {
                var reader = WireReader(bytes, byteOrder: byteOrder)
                try packet.visit(&reader)
            }
        } catch {
            if let kind = KnetPacketKind(rawValue: bytes[1]) { result.message = kind.name }
            result.problems.add { $0.append(error.description) }
            return
        }
        result.message = packet.kind.name
        result.node = UInt32(packet.node)
        switch packet.body {
        case .data(let data): dissect(data, of: packet.node, bytes, from: source, to: destination, into: result)
        case .ping(let ping):
            if result.content.problem == nil { knet.note(ping, from: packet.node, at: source.address, to: destination.address) }
            append(ping, into: result)
        case .pong(let pong): append(pong, into: result)
        case .pmtud(let probe), .pmtudReply(let probe):
            result.detail.append("link ")
            result.detail.append(probe.link)
            result.detail.append(" size ")
            result.detail.append(probe.size)
        }
    }

    private func append(_ ping: KnetPing, into result: Dissection) {
        result.detail.append("link ")
        result.detail.append(ping.link)
        result.detail.append(" seq ")
        result.detail.append(ping.sequence)
        if ping.timed == 0 { result.detail.append(" untimed") }
    }

    private mutating func dissect(
        _ data: KnetData,
        of node: UInt16,
        _ bytes: UnsafeRawBufferPointer,
        from source: Endpoint,
        to destination: Endpoint,
        into result: Dissection
    ) {
        let payload = UnsafeRawBufferPointer(rebasing: bytes[data.payload.range])
        guard result.content.problem == nil else {
            // The end is missing: only what a message begins with can be said.
            if data.isFragment || data.compression != 0 {
                append(data, into: result)
            } else {
                dissectMessage(payload, data, isCopy: false, into: result)
            }
            return
        }
        let abandoned = knet.abandoned
        switch knet.add(data, payload, from: node, at: source.address, to: destination.address, mark: result.frame) {
        case .whole:
            dissectMessage(payload, data, isCopy: false, into: result)
        case .complete(let fragments):
            result.notes.add {
                $0.append("put together from ")
                $0.append(fragments)
                $0.append(" fragments of knet")
            }
            let message = knet.message
            message.withUnsafeBytes { dissectMessage($0, data, isCopy: false, into: result) }
        case .incomplete:
            append(data, into: result)
        case .repeated(let frame):
            if data.isFragment {
                append(data, into: result)
            } else {
                dissectMessage(payload, data, isCopy: true, into: result)
            }
            result.notes.add {
                $0.append("copy of knet: repeats frame ")
                $0.append(frame)
            }
        case .repeatedFragment:
            append(data, into: result)
            result.notes.add { $0.append("copy of a fragment of knet") }
        case .invalid:
            append(data, into: result)
            result.problems.add {
                $0.append("fragment ")
                $0.append(data.fragmentSequence)
                $0.append(" of ")
                $0.append(data.fragmentCount)
                $0.append(" contradicts itself or others of the message")
            }
        }
        if knet.abandoned > abandoned {
            result.notes.add {
                $0.append(knet.abandoned - abandoned)
                $0.append(" unfinished messages of knet given up")
            }
        }
    }

    /// A part of a message.
    private func append(_ data: KnetData, into result: Dissection) {
        result.detail.append("seq ")
        result.detail.append(data.sequence)
        guard data.isFragment else { return }
        result.detail.append(" fragment ")
        result.detail.append(data.fragmentSequence)
        result.detail.append(" of ")
        result.detail.append(data.fragmentCount)
    }

    /// A whole message. Receivers drop copies, so they carry nothing.
    private mutating func dissectMessage(
        _ message: UnsafeRawBufferPointer,
        _ data: KnetData,
        isCopy: Bool,
        into result: Dissection
    ) {
        var message = message
        if data.compression != 0 {
            guard let inflated = inflate(message, data, into: result) else { return append(data, into: result) }
            message = inflated
        }
        guard Corosync3.byteOrder(of: message) != nil else {
            append(data, into: result)
            result.notes.add { $0.append("carries nothing of corosync") }
            return
        }
        if result.wantsFields { result.tree.takeApartLastField() }
        beginBytes(message, data.compression == 0 ? nil : .decompressed, into: result)
        self.isCopy = isCopy
        defer { self.isCopy = false }
        dissect(Corosync3.self, message, into: result)
    }

    private func inflate(_ message: UnsafeRawBufferPointer, _ data: KnetData, into result: Dissection) -> UnsafeRawBufferPointer? {
        let compression = KnetCompression(rawValue: data.compression)
        guard compression == .zlib else {
            result.notes.add {
                $0.append("compressed with ")
                if let compression { $0.append(compression.name) } else { $0.append(data.compression) }
                $0.append(", which is not read")
            }
            return nil
        }
        if let inflated = inflater.inflate(message) { return inflated }
        result.problems.add { $0.append("is not what zlib compressed, or too long") }
        return nil
    }
}
