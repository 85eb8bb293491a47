extension CaptureFile {
    /// Writes the frames of all `paths` into the file `output`, in the order of their times; frames of one time keep the order of `paths`.
    ///
    /// All files must have one link layer. Frames of one file stay in their order even where their times do not.
    public static func merge(_ paths: [String], into output: String) throws(CaptureError) {
        var readers: [PacketReader] = []
        for path in paths { readers.append(try PacketReader(path: path)) }
        guard let first = readers.first else { throw CaptureError(path: output, reason: "there are no captures to merge") }
        let writer = try CaptureWriter(path: output, linkType: first.linkType)
        var heads: [CapturedPacket?] = []
        for reader in readers { heads.append(try reader.next()) }
        while true {
            var earliest: (index: Int, packet: CapturedPacket)?
            for case (let index, let packet?) in heads.enumerated() where packet.time < earliest?.packet.time ?? .max {
                earliest = (index, packet)
            }
            guard let (index, packet) = earliest else { return }
            try writer.write(packet)
            heads[index] = try readers[index].next()
        }
    }
}
