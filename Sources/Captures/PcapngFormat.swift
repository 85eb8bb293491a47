import WireFormat

/// A pcapng file: sections of either byte order, and in each of them interfaces of any kind with packets (draft-ietf-opsawg-pcapng).
/// What is in other blocks is not read.
final class PcapngFormat: CaptureFormat {
    /// An interface of the current section.
    private struct SectionInterface {
        /// Its place in `interfaces`.
        var index: Int
        var linkType: LinkType
        var snapLength: Int
        var time: PcapngTime
    }

    /// How many interfaces a section, and how many unlike ones a file may have.
    private static let interfaceLimit = 65_536
    /// The longest name that is kept of an interface, in bytes.
    private static let nameLimit = 255

    private(set) var interfaces: [CaptureInterface] = []
    /// Sections that describe an interface again share its entry.
    private var indexOfInterface: [CaptureInterface: Int] = [:]
    private var section: [SectionInterface] = []

    private let stream: CaptureStream
    private var byteOrder = ByteOrder.little
    /// Bytes between the last packet and the end of its block, and the length that stands there.
    private var rest = 0
    private var blockLength: UInt32 = 0
    /// The time of the last packet; simple packets have none of their own.
    private var lastTime: Int64 = 0

    /// Reads the first section header.
    init(_ stream: CaptureStream) throws(CaptureError) {
        self.stream = stream
        guard try hold(PcapngBlockHeader.size) else { throw error("it ends inside its header") }
        try beginSection()
    }

    private func error(_ reason: String) -> CaptureError { CaptureError(path: stream.name, reason: reason) }

    private func hold(_ count: Int) throws(CaptureError) -> Bool { try stream.hold(count) }

    private func take<S: WireStructure>(_ type: S.Type, size: Int) throws(CaptureError) -> S {
        guard try stream.hold(size) else { throw error("the file ends inside a block") }
        let value = S(stream.bytes(size), byteOrder)
        stream.advance(size)
        return value
    }

    var hasNext: Bool {
        let start = rest + CaptureNumber.size
        guard stream.held >= start + PcapngBlockHeader.size else { return false }
        let header = PcapngBlockHeader(UnsafeRawBufferPointer(rebasing: stream.bytes(start + PcapngBlockHeader.size)[start...]), byteOrder)
        return stream.held >= start + Int(header.totalLength)
    }

    func next(_ frame: Int) throws(CaptureError) -> CapturedPacket? {
        if blockLength > 0 { try endBlock() }
        while true {
            guard try hold(PcapngBlockHeader.size) else {
                guard stream.held > 0 else { return nil }
                throw error("the file ends inside the header of a block")
            }
            let header = PcapngBlockHeader(stream.bytes(PcapngBlockHeader.size), byteOrder)
            if header.type == PcapngBlockType.sectionHeader {
                try beginSection()
                continue
            }
            try beginBlock(header)
            switch header.type {
            case PcapngBlockType.interface: try describeInterface()
            case PcapngBlockType.enhancedPacket:
                let packet = try takeBody(PcapngEnhancedPacket.self, size: PcapngEnhancedPacket.size)
                let interface = try interface(Int(packet.interface))
                lastTime = interface.time.nanoseconds(high: packet.timeHigh, low: packet.timeLow)
                return try self.packet(frame, interface, captured: packet.capturedLength, original: packet.originalLength)
            case PcapngBlockType.packet:
                let packet = try takeBody(PcapngPacket.self, size: PcapngPacket.size)
                let interface = try interface(Int(packet.interface))
                lastTime = interface.time.nanoseconds(high: packet.timeHigh, low: packet.timeLow)
                return try self.packet(frame, interface, captured: packet.capturedLength, original: packet.originalLength)
            case PcapngBlockType.simplePacket:
                let original = try takeBody(CaptureNumber.self, size: CaptureNumber.size).value
                let interface = try interface(0)
                // It does not say how much of it was recorded: up to the interface's snap length (section 4.4).
                let captured = interface.snapLength > 0 ? min(Int(original), interface.snapLength) : Int(original)
                return try self.packet(frame, interface, captured: UInt32(captured), original: original)
            default: break
            }
            try endBlock()
        }
    }

    // MARK: Blocks

    /// Begins the block with this header, whose body is then `rest`.
    private func beginBlock(_ header: PcapngBlockHeader) throws(CaptureError) {
        guard header.totalLength >= PcapngBlockHeader.overhead, header.totalLength % 4 == 0 else {
            throw error("a block has the impossible length \(header.totalLength)")
        }
        stream.advance(PcapngBlockHeader.size)
        blockLength = header.totalLength
        rest = Int(header.totalLength) - PcapngBlockHeader.overhead
    }

    /// Takes a structure from the body of the block.
    private func takeBody<S: WireStructure>(_ type: S.Type, size: Int) throws(CaptureError) -> S {
        guard rest >= size else { throw error("a block of \(blockLength) bytes is too short for what it should hold") }
        let value = try take(type, size: size)
        rest -= size
        return value
    }

    /// Skips what is left of the block and compares the length at its end.
    private func endBlock() throws(CaptureError) {
        guard try stream.skip(rest) else { throw error("the file ends inside a block") }
        rest = 0
        let length = try take(CaptureNumber.self, size: CaptureNumber.size).value
        guard length == blockLength else {
            throw error("a block has the length \(blockLength) at its beginning and \(length) at its end")
        }
        blockLength = 0
    }

    private func beginSection() throws(CaptureError) {
        // The byte order is known from what comes behind the length.
        let size = PcapngBlockHeader.size + CaptureNumber.size
        guard try hold(size) else { throw error("the file ends inside a section header") }
        let magic = UnsafeRawBufferPointer(rebasing: stream.bytes(size)[PcapngBlockHeader.size...])
        guard let order = [ByteOrder.little, .big].first(where: { CaptureNumber(magic, $0).value == PcapngSectionHeader.magic }) else {
            throw error("a section header without the magic number of either byte order")
        }
        byteOrder = order
        try beginBlock(PcapngBlockHeader(stream.bytes(PcapngBlockHeader.size), order))
        let header = try takeBody(PcapngSectionHeader.self, size: PcapngSectionHeader.size)
        guard header.majorVersion == 1 else {
            throw error("pcapng version \(header.majorVersion).\(header.minorVersion) is not read, 1 is")
        }
        try endBlock()
        section.removeAll(keepingCapacity: true)
    }

    // MARK: Interfaces

    private func describeInterface() throws(CaptureError) {
        let description = try takeBody(PcapngInterfaceDescription.self, size: PcapngInterfaceDescription.size)
        var interface = CaptureInterface(
            name: "",
            linkType: LinkType(number: Int32(description.linkType)),
            snapLength: Int(description.snapLength)
        )
        var time = PcapngTime()
        while rest >= PcapngOptionHeader.size {
            let option = try takeBody(PcapngOptionHeader.self, size: PcapngOptionHeader.size)
            if option.code == PcapngInterfaceOption.end { break }
            let length = Int(option.length)
            // Options are padded to four bytes; a writer may leave out the padding behind the last one.
            let padded = min((length + 3) & ~3, rest)
            guard length <= rest else { throw error("an option of \(length) bytes in a block that has \(rest) left") }
            let kept = min(length, Self.nameLimit)
            guard try hold(kept) else { throw error("the file ends inside a block") }
            try read(option.code, stream.bytes(kept), into: &interface, &time)
            guard try stream.skip(padded) else { throw error("the file ends inside a block") }
            rest -= padded
        }
        guard section.count < Self.interfaceLimit, interfaces.count < Self.interfaceLimit else {
            throw error("more than \(Self.interfaceLimit) interfaces")
        }
        let index = indexOfInterface[interface] ?? interfaces.count
        if index == interfaces.count {
            interfaces.append(interface)
            indexOfInterface[interface] = index
        }
        section.append(SectionInterface(index: index, linkType: interface.linkType, snapLength: interface.snapLength, time: time))
    }

    private func read(
        _ code: UInt16,
        _ value: UnsafeRawBufferPointer,
        into interface: inout CaptureInterface,
        _ time: inout PcapngTime
    ) throws(CaptureError) {
        switch code {
        case PcapngInterfaceOption.name: interface.name = String(decoding: value, as: UTF8.self)
        case PcapngInterfaceOption.description: interface.description = String(decoding: value, as: UTF8.self)
        case PcapngInterfaceOption.timeResolution:
            guard value.count == 1, time.setResolution(value[0]) else { throw error("an interface whose time resolution has no meaning") }
        case PcapngInterfaceOption.timeOffset:
            guard value.count == 8 else { throw error("an interface whose time offset has \(value.count) bytes") }
            let raw = value.loadUnaligned(as: Int64.self)
            time.offset = byteOrder == .little ? Int64(littleEndian: raw) : Int64(bigEndian: raw)
        default: break
        }
    }

    private func interface(_ number: Int) throws(CaptureError) -> SectionInterface {
        guard number < section.count else {
            throw error("a packet of interface \(number), but \(section.isEmpty ? "none" : "only \(section.count)") was described before")
        }
        return section[number]
    }

    // MARK: Packets

    private func packet(
        _ frame: Int,
        _ interface: SectionInterface,
        captured: UInt32,
        original: UInt32
    ) throws(CaptureError) -> CapturedPacket {
        let length = Int(captured)
        guard length <= PacketReader.frameLimit else {
            throw error("a packet of \(length) bytes; none has more than \(PacketReader.frameLimit)")
        }
        guard length <= rest else { throw error("a packet of \(length) bytes in a block that has \(rest) left") }
        guard try hold(length) else { throw error("the file ends inside a packet") }
        let bytes = stream.bytes(length)
        stream.advance(length)
        rest -= length
        var packet = CapturedPacket(
            frame: frame,
            time: lastTime,
            linkType: interface.linkType,
            originalLength: Int(original),
            bytes: bytes
        )
        packet.interface = interface.index
        return packet
    }
}
