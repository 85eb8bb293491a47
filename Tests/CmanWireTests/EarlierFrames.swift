import CmanWire
import Testing
import WireFormat

/// Frames of the generations before cman-5, constructed from reference/cman-wire.md 12.1; nobody has recorded any. The offsets were
/// found a second time by compiling the structures of that time: cman-kernel/src/cnxman-private.h of ClusterLabs/resource-agents at
/// b6ea99449 (2a), 4b4110955 and f591872c3^ (2b), f591872c3 (3), f7f3063ba (4).
struct EarlierFrame: Sendable, CustomTestStringConvertible {
    var generation: CmanGeneration
    var frame: ExampleFrame

    var testDescription: String { "\(generation.name) \(frame.name)" }

    init(_ generation: CmanGeneration, _ name: String, _ text: String) {
        self.generation = generation
        frame = ExampleFrame(name, text)
    }

    static let joinRequestNode2 = """
        10 00 00 00 61 6c 70 68 61 00 00 00 00 00 00 00 00 00 00 00 | 02 00 1a 99 0a 00 00 02 00 00 00 00 00 00 00 00 | 6e 6f 64 65 32 00
        """

    static let all = [
        EarlierFrame(.cman2a, "newcluster", "01 09 61 0c 01 00 ee ee 00 00 00 00 00 00 00 00 | 0f"),
        EarlierFrame(.cman2a, "hello", "01 19 61 0c 07 00 ee ee 01 00 00 00 00 00 00 00 | 04 00 01 00 01 00 00 00"),
        EarlierFrame(
            .cman2a,
            "joinreq",
            """
            01 01 61 0c 05 00 ee ee 00 00 00 00 00 00 00 00 |
            02 01 01 00 02 00 00 00 de ad be ef 02 00 00 00 00 00 00 00 01 00 00 00 03 00 00 00 \(joinRequestNode2)
            """
        ),
        EarlierFrame(.cman2a, "joinack", "01 01 61 0c 08 00 ee ee 01 00 00 00 00 00 00 00 | 06 01"),
        EarlierFrame(
            .cman2a,
            "joinconf",
            """
            01 01 61 0c 09 00 ee ee 01 00 00 00 00 00 00 00 |
            01 03 | 05 6e 6f 64 65 31 02 01 00 02 00 1a 99 0a 00 00 01 00 00 00 00 00 00 00 00 01 02 00 00 00 01 00 00 00
            """
        ),
        EarlierFrame(.cman2a, "confack", "01 01 61 0c 06 00 ee ee 00 00 00 00 00 00 00 00 | 10"),
        EarlierFrame(.cman2a, "ack", "00 01 61 0c 00 00 ee ee 02 00 00 00 00 00 00 00 | 01 01 00 ee 0a 00 ee ee"),
        EarlierFrame(
            .cman2a,
            "startack",
            "01 00 61 0c 0f 00 ee ee 02 00 00 00 01 00 00 00 | 0d ee ee ee 03 00 00 00 03 00 00 00 04 00 00 00"
        ),
        EarlierFrame(.cman2a, "kill", "01 00 61 0c 0f 00 ee ee 02 00 00 00 01 00 00 00 | 05"),
        EarlierFrame(
            .cman2a,
            "sm-join-req",
            "02 08 61 0c 32 00 ee ee 02 00 00 00 00 00 00 00 | 01 00 02 00 00 00 00 00 00 00 00 00 00 00 07 00 64 65 66 61 75 6c 74"
        ),
        EarlierFrame(.cman2a, "data", "0b 08 61 0c 35 00 ee ee 02 00 00 00 00 00 00 00 | 68 65 6c 6c 6f"),
        EarlierFrame(.cman2b, "newcluster", "01 09 61 0c 01 00 00 00 00 00 00 00 00 00 00 00 | 0f"),
        EarlierFrame(.cman2b, "newcluster", "01 09 61 0c 01 00 00 00 00 00 00 00 00 00 00 00 | 0f c4 b3 a2 c1"),
        EarlierFrame(.cman2b, "hello", "01 19 61 0c 07 00 00 00 01 00 00 00 00 00 00 00 | 04 02 01 00 01 00 00 00"),
        EarlierFrame(
            .cman2b,
            "joinreq",
            """
            01 01 61 0c 05 00 00 00 00 00 00 00 00 00 00 00 |
            02 01 01 00 02 00 00 00 02 00 00 00 02 00 00 00 00 00 00 00 01 00 00 00 03 00 00 00 \(joinRequestNode2)
            """
        ),
        EarlierFrame(.cman2b, "ack", "00 01 61 0c 00 00 0a 00 02 00 00 00 00 00 00 00 | 01 01 00 ee"),
        EarlierFrame(.cman2b, "listenreq", "00 20 61 0c 02 00 00 00 02 00 00 00 01 00 00 00 | 02 0b 00 aa 34 12"),
        EarlierFrame(
            .cman2b,
            "starttrans",
            """
            01 28 61 0c 14 00 00 00 01 00 00 00 00 00 00 00 |
            0a 01 00 01 03 00 00 00 03 00 00 00 03 00 00 00 01 00 ee ee
            02 00 1a 99 0a 00 00 03 00 00 00 00 00 00 00 00 | 6e 6f 64 65 33 00
            """
        ),
        EarlierFrame(
            .cman2b,
            "startack",
            "01 20 61 0c 0f 00 14 00 02 00 00 00 01 00 00 00 | 0d ee ee ee 03 00 00 00 00 00 00 00 04 00 00 00"
        ),
        EarlierFrame(.cman2b, "viewack", "01 00 61 0c 10 00 15 00 02 00 00 00 01 00 00 00 | 0c 01"),
        EarlierFrame(
            .cman2b,
            "barrier",
            """
            00 08 61 0c 07 00 00 00 02 00 00 00 00 00 00 00 | 05 04 00 00 00 00 00 00 00 00 00 00
            54 52 41 4e 53 49 54 49 4f 4e 2e 32 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
            """
        ),
        EarlierFrame(
            .cman3,
            "startack",
            "01 01 0f 00 14 00 61 0c 00 00 20 00 02 00 00 00 01 00 00 00 | 0d ee ee ee 03 00 00 00 03 00 00 00 04 00 00 00"
        ),
        // A big-endian sender before 2004-11-30.
        EarlierFrame(.cman3, "hello", "01 01 07 00 00 00 61 0c 00 19 00 00 01 00 00 00 00 00 00 00 | 04 02 01 00 01 00 00 00"),
        EarlierFrame(.cman4, "startack", "01 01 0f 00 14 00 61 0c 00 00 20 00 02 00 00 00 01 00 00 00 | 0d ee ee ee 03 00 00 00"),
    ]
}
