import CLinuxNet
import Foundation
import Glibc

/// Asks a running bridge for its status.
public enum StatusClient {
    /// Nobody answers, or not with a status.
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    /// The answer of the bridge at the Unix socket `path`.
    public static func ask(_ path: String) throws -> StatusDocument {
        let number = linuxnet_unix_connect(path)
        guard number >= 0 else {
            throw Failure(
                description:
                    "no bridge answers at \(path) (\(SystemCallError("", code: -number).reason)); is `ringbridge run` running, and may you read the socket?"
            )
        }
        defer { close(number) }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var data = Data()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(number, &buffer, buffer.count)
            if count > 0 { data.append(contentsOf: buffer[..<count]) } else if count == 0 || errno != EINTR { break }
        }
        guard !data.isEmpty, var document = try? StatusCoding.decode(data) else {
            throw Failure(description: "the bridge at \(path) did not answer; try again in a second")
        }
        document.noteAge(at: WallClock.now())
        return document
    }

    /// The one admin socket of this host.
    public static func onlySocket(in folder: String = "/run/ringbridge") throws -> String {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let sockets = names.filter { $0.hasSuffix(".sock") }.sorted()
        guard let only = sockets.first, sockets.count == 1 else {
            throw Failure(
                description: sockets.isEmpty
                    ? "no bridge of this host has a socket in \(folder); name it with --socket or --config"
                    : "several bridges run on this host: \(sockets.joined(separator: ", ")); name one with --socket or --config"
            )
        }
        return "\(folder)/\(only)"
    }

    /// The status as lines for people.
    public static func text(_ document: StatusDocument) -> String { StatusText.render(document) }

    /// The status as one JSON object.
    public static func json(_ document: StatusDocument) throws -> String {
        String(decoding: try StatusCoding.encode(document), as: UTF8.self)
    }
}
