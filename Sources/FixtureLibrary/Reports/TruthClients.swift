extension TruthReport {
    /// What a corosync client wrote: `1795341203.016381 DELIVER group=alpha from=1 pid=10481 len=50 fnv=ad2ead4d ...`.
    mutating func takeClientLog(_ name: String, _ lines: [Substring]) {
        guard let node = Self.number(in: Substring(name)).flatMap({ id(ofNumber: $0) }) else { return }
        var reception = Reception(receiver: name, node: node, service: .cpg, hash: .fnv1a)
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count > 1, let at = time.ofEpoch(words[0]) else { continue }
            var values: [Substring: Substring] = [:]
            for word in words.dropFirst(2) {
                let pair = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if pair.count == 2 { values[pair[0]] = pair[1] }
            }
            switch words[1] {
            case "START": reception.process = values["pid"].flatMap { UInt32($0) } ?? 0
            case "JOIN":
                if at < 0, let group = values["group"] { reception.places.append(String(group)) }
            case "DELIVER":
                guard at >= 0, let sender = values["from"].flatMap({ UInt32($0) }), let group = values["group"],
                    let length = values["len"].flatMap({ Int($0) }), let hash = values["fnv"].flatMap({ UInt32($0, radix: 16) })
                else { continue }
                reception.messages.append(
                    DeliveredMessage(
                        sender: sender,
                        process: values["pid"].flatMap { UInt32($0) } ?? 0,
                        place: String(group),
                        length: length,
                        hash: hash
                    )
                )
            case "FINALIZED": reception.until = at
            case "TOTEM": takeConfiguration(of: node, at: at, values)
            default: break
            }
        }
        report.receptions.append(reception)
    }

    /// `TOTEM ring=1.d members=1,2,3,`: the sequence number is hexadecimal.
    private mutating func takeConfiguration(of node: UInt32, at: Double, _ values: [Substring: Substring]) {
        guard at >= 0, let ring = values["ring"]?.split(separator: "."), ring.count == 2, let representative = UInt32(ring[0]),
            let sequence = UInt64(ring[1], radix: 16), let members = values["members"]
        else { return }
        report.views.append(
            MembershipView(
                at: at,
                node: node,
                members: members.split(separator: ",").compactMap { UInt32($0) }.sorted(),
                ring: "\(representative).\(sequence)"
            )
        )
    }

    /// What a client of openais or of cman wrote: `10:09:03.565551 CPG from node 01044d0a pid 13031 len 15 sum 956bbaf6 '...'`,
    /// `10:11:49.749555 DATA from node 1 port 50 len 17 sum 336981c6 '...'`.
    mutating func takeClientOutput(of number: UInt32, _ title: Substring, _ lines: [Substring]) {
        guard let node = id(ofNumber: number) else { return }
        let program = title.split(separator: "(").last.map { String($0.dropLast()) } ?? ""
        var receptions: [Reception.Service: Reception] = [:]
        func reception(_ service: Reception.Service) -> Reception {
            receptions[service] ?? Reception(receiver: program, node: node, service: service, hash: .times31)
        }
        var place = ""
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count > 2, let at = time.ofDay(words[0]) else { continue }
            switch words[1] {
            case "CMD" where words.count > 3 && words[2] == "bind":
                place = String(words[3])
                var open = reception(.port)
                open.places.append(place)
                receptions[.port] = open
            case "CPGCONF" where words.count > 4:
                place = String(words[2].dropFirst().dropLast())
                guard let process = Self.joined(words, node: node), reception(.cpg).process == 0 else { continue }
                var open = reception(.cpg)
                open.process = process
                if at < 0 { open.places.append(place) }
                receptions[.cpg] = open
            case "CPG", "EVS", "DATA":
                guard at >= 0, let message = Self.message(words, place: place) else { continue }
                let service: Reception.Service = words[1] == "CPG" ? .cpg : words[1] == "EVS" ? .evs : .port
                var open = reception(service)
                open.messages.append(message)
                receptions[service] = open
            default: break
            }
        }
        for service in Reception.Service.allCases {
            if let open = receptions[service], !open.messages.isEmpty { report.receptions.append(open) }
        }
    }

    /// The process of `node` in `... joined 01044d0a/13031/r1`.
    private static func joined(_ words: [Substring], node: UInt32) -> UInt32? {
        guard let start = words.firstIndex(of: "joined") else { return nil }
        for word in words[(start + 1)...] {
            let parts = word.split(separator: "/")
            if parts.count >= 2, UInt32(parts[0], radix: 16) == node { return UInt32(parts[1]) }
        }
        return nil
    }

    private static func message(_ words: [Substring], place: String) -> DeliveredMessage? {
        var values: [Substring: Substring] = [:]
        for (key, value) in zip(words.dropFirst(3), words.dropFirst(4)) where values[key] == nil { values[key] = value }
        // Ids of openais are hexadecimal, those of cman decimal.
        let isCman = words[1] == "DATA"
        guard let sender = values["node"].flatMap({ UInt32($0, radix: isCman ? 10 : 16) }),
            let length = values["len"].flatMap({ Int($0) }), let hash = values["sum"].flatMap({ UInt32($0, radix: 16) })
        else { return nil }
        let process = values[isCman ? "port" : "pid"].flatMap { UInt32($0) } ?? 0
        return DeliveredMessage(sender: sender, process: process, place: place, length: length, hash: hash)
    }
}
