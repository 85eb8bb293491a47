import Glibc
import WireFormat

/// Asks the system's resolver (hosts file, DNS) for addresses. It may block: only used before the loop starts.
enum NameResolver {
    /// The first address of `name`, an address in numbers included; nil when there is none.
    static func address(of name: String) -> IPAddress? {
        if let address = IPAddress(name) { return address }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0, let first = list else { return nil }
        defer { freeaddrinfo(first) }
        var each: UnsafeMutablePointer<addrinfo>? = first
        while let entry = each {
            if let address = address(in: entry.pointee) { return address }
            each = entry.pointee.ai_next
        }
        return nil
    }

    private static func address(in entry: addrinfo) -> IPAddress? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        return IPAddress(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
