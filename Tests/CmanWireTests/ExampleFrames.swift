import Testing

/// The frames of reference/cman-wire.md 12.3, constructed from the layouts there, with the name that listings give them.
struct ExampleFrame: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]

    var testDescription: String { name }

    init(_ name: String, _ text: String) {
        self.name = name
        bytes = text.split(whereSeparator: { " |\n".contains($0) }).compactMap { UInt8($0, radix: 16) }
    }

    static let all = [
        ExampleFrame("newcluster", "01 01 01 00 00 00 61 0c 00 00 09 00 00 00 00 00 00 00 00 00 | 0f c4 b3 a2 c1"),
        ExampleFrame("hello", "01 01 07 00 00 00 61 0c 00 00 19 00 01 00 00 00 00 00 00 00 | 04 02 01 00 01 00 00 00"),
        ExampleFrame(
            "joinreq",
            """
            01 01 05 00 00 00 61 0c 00 00 01 00 00 00 00 00 00 00 00 00 |
            02 01 01 00 02 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00 01 00 00 00 03 00 00 00 10 00 00 00
            61 6c 70 68 61 00 00 00 00 00 00 00 00 00 00 00 | 02 00 1a 99 0a 00 00 02 00 00 00 00 00 00 00 00 | 6e 6f 64 65 32 00
            """
        ),
        ExampleFrame("joinack", "01 01 08 00 00 00 61 0c 00 00 01 00 01 00 00 00 00 00 00 00 | 06 01"),
        ExampleFrame(
            "joinconf",
            """
            01 01 09 00 00 00 61 0c 00 00 01 00 01 00 00 00 00 00 00 00 |
            01 03 | 05 6e 6f 64 65 31 02 01 00 02 00 1a 99 0a 00 00 01 00 00 00 00 00 00 00 00 01 02 00 00 00 01 00 00 00
            """
        ),
        ExampleFrame("confack", "01 01 06 00 00 00 61 0c 00 00 01 00 00 00 00 00 00 00 00 00 | 10"),
        ExampleFrame(
            "endtrans",
            """
            01 01 0a 00 00 00 61 0c 00 00 08 00 01 00 00 00 00 00 00 00 |
            07 00 00 00 02 00 00 00 02 00 00 00 02 00 00 00 02 00 00 00
            """
        ),
        ExampleFrame("ack", "00 00 00 00 0a 00 61 0c 00 00 01 00 00 00 00 00 00 00 00 00 | 01 01 00 00"),
        ExampleFrame(
            "barrier",
            """
            00 00 07 00 00 00 61 0c 00 00 08 00 02 00 00 00 00 00 00 00 | 05 04 00 00 00 00 00 00 00 00 00 00
            54 52 41 4e 53 49 54 49 4f 4e 2e 32 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
            """
        ),
        ExampleFrame(
            "starttrans",
            """
            01 01 14 00 00 00 61 0c 00 00 28 00 01 00 00 00 00 00 00 00 |
            0a 01 00 01 03 00 00 00 03 00 00 00 03 00 00 00 01 00 00 00
            02 00 1a 99 0a 00 00 03 00 00 00 00 00 00 00 00 | 6e 6f 64 65 33 00
            """
        ),
        ExampleFrame("startack", "01 01 0f 00 14 00 61 0c 00 00 20 00 02 00 00 00 01 00 00 00 | 0d 00 00 00 03 00 00 00"),
        ExampleFrame("viewack", "01 01 10 00 15 00 61 0c 00 00 00 00 02 00 00 00 01 00 00 00 | 0c 01"),
        ExampleFrame("nodedown", "01 01 1e 00 00 00 61 0c 00 00 08 00 01 00 00 00 00 00 00 00 | 12 06 00 00 03 00 00 00"),
        ExampleFrame("leave", "01 01 28 00 21 00 61 0c 00 00 01 00 02 00 00 00 01 00 00 00 | 03 00"),
        ExampleFrame(
            "sm-join-req",
            """
            02 02 32 00 00 00 61 0c 00 00 08 00 02 00 00 00 00 00 00 00 |
            01 00 02 00 00 00 00 00 00 00 00 00 00 00 07 00 64 65 66 61 75 6c 74
            """
        ),
        ExampleFrame(
            "sm-join-rep",
            """
            02 02 33 00 32 00 61 0c 00 00 00 00 03 00 00 00 02 00 00 00 |
            02 02 02 00 00 00 00 00 01 00 00 00 00 00 00 00
            """
        ),
        // Not in the reference: the remaining layouts, put together by hand from sections 3, 4 and 8.1.
        ExampleFrame("listenreq", "00 00 02 00 00 00 61 0c 40 00 20 00 02 00 00 00 01 00 00 00 | 02 0b 00 aa 34 12"),
        ExampleFrame("portclosed", "00 00 03 00 00 00 61 0c 00 00 08 00 02 00 00 00 00 00 00 00 | 04 0b"),
        ExampleFrame("reconfig", "01 01 04 00 00 00 61 0c 00 00 08 00 02 00 00 00 00 00 00 00 | 08 01 bb cc 05 00 00 00"),
        ExampleFrame("kill", "01 01 05 00 00 00 61 0c 00 00 01 00 02 00 00 00 03 00 00 00 | 05"),
        ExampleFrame(
            "joinconf",
            """
            01 01 09 00 00 00 61 0c 00 00 01 00 01 00 00 00 00 00 00 00 |
            01 03 | 02 6e 31 03 02 00 0a 00 1a 99 00 00 00 00 fd 77 00 01 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00
            00 0a 1a 99 00 00 00 01 fd 77 00 01 00 00 00 00 00 00 00 00 00 00 00 02 07 00 00 00 ff 02 00 00 00 01 00 00 00
            """
        ),
        ExampleFrame(
            "sm-jstop-req",
            "02 02 34 00 00 00 61 0c 00 00 00 00 02 00 00 00 01 00 00 00 | 03 00 02 00 01 00 00 01 00 00 00 00 01 00 04 00 00 00 00 03"
        ),
        // A reply is built on the stack: what is ee and dd here is whatever was there.
        ExampleFrame(
            "sm-jstop-rep",
            "02 02 36 00 34 00 61 0c 00 00 00 00 03 00 00 00 02 00 00 00 | 04 01 02 00 ee ee ee ee dd dd dd dd ee ee dd dd"
        ),
        ExampleFrame("data", "0b 0b 35 00 00 00 61 0c 00 00 08 00 02 00 00 00 00 00 00 00 | 68 65 6c 6c 6f"),
    ]
}
