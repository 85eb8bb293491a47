import EngineKit
import Testing
import WireFormat

@testable import BridgeRuntime

@Suite struct AddressClaimTests {
    @Test func probesThriceThenTakesAndAnnouncesThrice() throws {
        var claim = AddressClaim(at: .zero)
        var log: [(Int64, AddressClaim.Action)] = []
        while let deadline = claim.nextDeadline {
            for action in claim.advance(to: deadline) { log.append((deadline.nanoseconds / 1_000_000, action)) }
        }
        #expect(log.map(\.0) == [0, 200, 400, 600, 600, 1600, 2600])
        #expect(log.map(\.1) == [.probe, .probe, .probe, .take, .announce, .announce, .announce])
    }

    static let own = HardwareAddress([2, 0, 0, 0, 0, 1])
    static let other = HardwareAddress([2, 0, 0, 0, 0, 9])

    static func claimant(_ frames: AddressFrames, _ bytes: [UInt8]) -> HardwareAddress? {
        bytes.withUnsafeBytes { frames.claimant(in: $0) }
    }

    /// Bytes after RFC 5227 section 2.1.1 and RFC 826, written by hand.
    @Test func framesForIPv4() throws {
        let frames = AddressFrames(address: IPAddress(ipv4: 0x0A00_0003), hardware: Self.own)
        let head: [UInt8] = [255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1]
        #expect(try frames.probe() == head + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 3])
        #expect(try frames.announcement() == head + [10, 0, 0, 3, 0, 0, 0, 0, 0, 0, 10, 0, 0, 3])

        let theirs = AddressFrames(address: IPAddress(ipv4: 0x0A00_0003), hardware: Self.other)
        #expect(Self.claimant(frames, try theirs.announcement()) == Self.other)
        // A probe of somebody else claims nothing, and neither does what we sent ourselves.
        #expect(Self.claimant(frames, try theirs.probe()) == nil)
        #expect(Self.claimant(frames, try frames.announcement()) == nil)
        let foreign = AddressFrames(address: IPAddress(ipv4: 0x0A00_0004), hardware: Self.other)
        #expect(Self.claimant(frames, try foreign.announcement()) == nil)
    }

    @Test func framesForIPv6() throws {
        let address = try #require(IPAddress("fd77::1:2ff"))
        let frames = AddressFrames(address: address, hardware: Self.own)
        let theirs = AddressFrames(address: address, hardware: Self.other)
        let probe = try frames.probe()
        // To the solicited-node group ff02::1:ff01:02ff through 33:33:ff:01:02:ff, from ::, hop limit 255.
        #expect(Array(probe[0..<6]) == [0x33, 0x33, 0xFF, 0x01, 0x02, 0xFF])
        #expect(probe.count == 14 + 40 + 24)
        #expect(probe[21] == 255)
        #expect(Array(probe[22..<38]) == Array(repeating: 0, count: 16))
        #expect(Self.claimant(frames, try theirs.announcement()) == Self.other)
        #expect(Self.claimant(frames, try theirs.probe()) == nil)
        // The checksum covers the pseudo header: the sum over everything is all ones.
        let announcement = try theirs.announcement()
        let payload = announcement[54...]
        var words = Array(announcement[22..<54]) + [0, 0, 0, UInt8(payload.count), 0, 0, 0, 58] + payload
        if words.count % 2 == 1 { words.append(0) }
        var sum = 0
        for index in stride(from: 0, to: words.count, by: 2) { sum += Int(words[index]) << 8 | Int(words[index + 1]) }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        #expect(sum == 0xFFFF)
    }

    @Test func cutFramesClaimNothing() throws {
        let frames = AddressFrames(address: IPAddress(ipv4: 0x0A00_0003), hardware: Self.own)
        let whole = try AddressFrames(address: IPAddress(ipv4: 0x0A00_0003), hardware: Self.other).announcement()
        for count in 0..<whole.count { #expect(Self.claimant(frames, Array(whole[..<count])) == nil || count >= 42) }
    }
}
