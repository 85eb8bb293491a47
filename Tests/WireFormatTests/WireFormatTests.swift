import Testing
import WireFormat

private struct Sample: WireStructure, Equatable {
    struct Item: WireStructure, Equatable {
        var key: UInt16 = 0
        var value: UInt32 = 0

        mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.field("key", &key)
            try visitor.field("value", &value)
        }
    }

    var kind: UInt8 = 0
    var number: UInt32 = 0
    var fixed: UInt16 = 0
    var items: [Item] = []
    var name: [UInt8] = []
    var rest = ByteRange()

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("kind", &kind)
        try visitor.field("number", &number)
        try visitor.field("fixed", &fixed, order: .big, .hexadecimal)
        var count = UInt8(truncatingIfNeeded: items.count)
        try visitor.field("item_count", &count)
        try visitor.list("items", &items, count: Int(count))
        try visitor.terminated("name", &name, limit: 16)
        try visitor.payload("rest", &rest)
    }
}

private let sampleBytes: [UInt8] = [
    7, 0x04, 0x03, 0x02, 0x01, 0x12, 0x34, 2,
    1, 0, 10, 0, 0, 0, 2, 0, 20, 0, 0, 0,
    0x68, 0x69, 0, 0xAA, 0xBB,
]

@Test func readsFieldsInWireOrderAndByteOrder() throws {
    let sample = try sampleBytes.withUnsafeBytes { try Sample(reading: $0) }
    #expect(sample.number == 0x0102_0304)
    #expect(sample.fixed == 0x1234)
    #expect(sample.items == [.init(key: 1, value: 10), .init(key: 2, value: 20)])
    #expect(sample.name == Array("hi".utf8))
    #expect(sample.rest == ByteRange(start: 23, count: 2))
}

@Test func writesTheSameBytes() throws {
    let sample = try sampleBytes.withUnsafeBytes { try Sample(reading: $0) }
    #expect(try sample.bytes(payload: sampleBytes[23...]) == sampleBytes)
}

@Test func bigEndianIsTheMirrorOfLittleEndian() throws {
    var sample = Sample()
    sample.number = 0x0102_0304
    let bytes = try sample.bytes(byteOrder: .big)
    #expect(Array(bytes[1..<5]) == [1, 2, 3, 4])
    let back = try bytes.withUnsafeBytes { try Sample(reading: $0, byteOrder: .big) }
    #expect(back.number == sample.number)
}

@Test func everyTruncationNamesFieldAndOffset() {
    for length in 0..<23 {
        let error = #expect(throws: WireError.self) {
            try sampleBytes[..<length].withUnsafeBytes { _ = try Sample(reading: $0) }
        }
        #expect((error?.offset ?? -1) <= length)
    }
    let error = #expect(throws: WireError.self) { try sampleBytes[..<3].withUnsafeBytes { _ = try Sample(reading: $0) } }
    #expect(error == WireError(.truncated(needed: 4, available: 2), field: "number", offset: 1))
}

@Test func aWriterStopsAtTheEndOfItsBuffer() {
    #expect(throws: WireError.self) { try Sample().bytes(limit: 5) }
}

private struct Trace: FieldSink {
    var lines: [String] = []
    mutating func field(_ name: StaticString, _ value: FieldValue, at range: ByteRange, _ format: FieldFormat) {
        lines.append("\(name) \(range.start)+\(range.count)")
    }
    mutating func beginGroup(_ name: StaticString, _ kind: FieldGroup, at offset: Int) { lines.append("{ \(name)") }
    mutating func endGroup(at offset: Int) { lines.append("} \(offset)") }
}

@Test func aDissectorReportsEachFieldWithItsPlace() throws {
    try sampleBytes.withUnsafeBytes { buffer in
        var dissector = WireDissector(buffer, sink: Trace())
        var sample = Sample()
        try sample.visit(&dissector)
        #expect(
            dissector.sink.lines == [
                "kind 0+1", "number 1+4", "fixed 5+2", "item_count 7+1",
                "{ items", "{ items", "key 8+2", "value 10+4", "} 14", "{ items", "key 14+2", "value 16+4", "} 20", "} 20",
                "name 20+3", "rest 23+2",
            ]
        )
    }
}

private struct Layout: LayoutSink {
    var lines: [String] = []
    mutating func field(_ name: StaticString, type: String, _ format: FieldFormat) { lines.append("\(name): \(type)") }
    mutating func beginGroup(_ name: StaticString, isList: Bool) { lines.append("\(name)\(isList ? "[]" : "") {") }
    mutating func endGroup() { lines.append("}") }
}

@Test func aDescriberTellsTheLayoutWithoutBytes() throws {
    var describer = WireDescriber(Layout())
    var sample = Sample()
    try sample.visit(&describer)
    #expect(
        describer.sink.lines == [
            "kind: u8", "number: u32", "fixed: u16", "item_count: u8", "items[] {", "key: u16", "value: u32", "}", "name: text",
            "rest: payload",
        ]
    )
}

@Test(arguments: ["0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "fd77:2::1", "1:2:3:4:5:6:7:8", "fe80::1:0:0:1"])
func addressesKeepTheirText(_ text: String) {
    #expect(IPAddress(text)?.description == text)
    #expect(IPAddress(text).flatMap { IPAddress(networkBytes: $0.networkBytes) }?.description == text)
}

@Test(arguments: ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.+4", ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7"])
func badAddressesAreRefused(_ text: String) {
    #expect(IPAddress(text) == nil)
}

@Test func endpointsKeepTheirText() {
    #expect(Endpoint("10.0.0.1:6809")?.description == "10.0.0.1:6809")
    #expect(Endpoint("[fd77::1]:5405")?.description == "[fd77::1]:5405")
    #expect(Endpoint("fd77::1:5405") == nil)
}
