// swift-tools-version: 6.1

import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-warnings-as-errors"]),
    // Without it a layout is walked field by field through witness tables, some twenty times slower; the benchmarks notice.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

/// What the compiler cannot prove about exclusive access it checks at run time, on every access to an object's storage: a quarter of the
/// time that a decoded packet takes. Only the decoder, which runs over whole recordings, does without in release builds; debug builds go
/// on checking.
let decoderSettings = settings + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// For modules whose tests reach into them; tests are built optimised too, because one configuration serves the program and the tests.
let innerTestSettings = settings + [.unsafeFlags(["-enable-testing"], .when(configuration: .release))]

/// A module and what it may import. A module imports only modules that stand above it in this file.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "ringbridge",
    products: [
        .executable(name: "ringbridge", targets: ["ringbridge"]),
        // What the benchmarks, a package of their own, measure.
        .library(
            name: "RingbridgeModules",
            targets: ["WireFormat", "EngineKit", "CmanWire", "TotemWire", "CmanNode", "TotemNode", "ClusterServices", "Simulation"]
        ),
        // What fuzzing, a package of its own, feeds.
        .library(
            name: "RingbridgeDecoding",
            targets: ["WireFormat", "CmanWire", "TotemWire", "TotemSecurity", "Captures", "Dissection"]
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Bytes and engine contracts.
        module("WireFormat"),
        module("EngineKit", ["WireFormat"]),

        // Protocols: layouts.
        module("CmanWire", ["WireFormat"]),
        module("TotemWire", ["WireFormat"]),
        .target(
            name: "TotemSecurity",
            dependencies: [
                "WireFormat",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: innerTestSettings
        ),

        // Protocols: engines without I/O.
        module("CmanNode", ["CmanWire", "EngineKit", "WireFormat"]),
        module("TotemNode", ["TotemWire", "EngineKit", "WireFormat"]),
        module("ClusterServices", ["TotemNode", "TotemWire", "EngineKit", "WireFormat"]),

        // The bridge: translation, and its adapters to the engines.
        module("Bridging", ["EngineKit", "WireFormat"]),
        module("Sides", ["Bridging", "CmanNode", "CmanWire", "ClusterServices", "TotemNode", "TotemWire", "EngineKit", "WireFormat"]),

        // Packets.
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        module("Captures", ["WireFormat", "CPcap", "CZlib"]),
        module(
            "Simulation",
            [
                "Sides", "Bridging", "CmanNode", "CmanWire", "ClusterServices", "TotemNode", "TotemWire", "Captures", "EngineKit",
                "WireFormat",
            ]
        ),
        .target(
            name: "Dissection",
            dependencies: ["CmanWire", "TotemWire", "TotemSecurity", "Captures", "WireFormat"],
            swiftSettings: decoderSettings
        ),
        module(
            "FixtureLibrary",
            [
                "CmanNode", "CmanWire", "ClusterServices", "TotemNode", "TotemWire", "TotemSecurity", "Captures", "CZlib", "Dissection",
                "EngineKit", "WireFormat",
                .product(name: "Yams", package: "Yams"),
            ]
        ),

        // The operating system.
        .target(name: "CLinuxNet"),
        .target(
            name: "BridgeRuntime",
            dependencies: [
                "Sides", "Bridging", "CmanNode", "CmanWire", "ClusterServices", "TotemNode", "TotemSecurity", "TotemWire", "Captures",
                "EngineKit", "WireFormat",
                "CLinuxNet",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: innerTestSettings
        ),
        .executableTarget(
            name: "ringbridge",
            dependencies: [
                "BridgeRuntime", "FixtureLibrary", "Dissection", "TotemSecurity", "Captures", "WireFormat",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),

        // Finds the recorded captures for tests.
        .target(
            name: "CaptureSupport",
            dependencies: ["TotemWire", "TotemSecurity", "Captures", "CZlib", "WireFormat"],
            path: "Tests/CaptureSupport",
            swiftSettings: settings
        ),
        tests("WireFormat", ["WireFormat"]),
        tests("EngineKit", ["EngineKit", "WireFormat"]),
        tests("CmanWire", ["CmanWire", "CaptureSupport", "Captures", "WireFormat"]),
        tests("TotemWire", ["CaptureSupport", "TotemWire", "Captures", "WireFormat"]),
        tests("TotemSecurity", ["CaptureSupport", "TotemSecurity", "TotemWire", "Captures", "WireFormat"]),
        tests("CmanNode", ["CaptureSupport", "CmanNode", "CmanWire", "Captures", "EngineKit", "WireFormat"]),
        tests("TotemNode", ["CaptureSupport", "TotemNode", "TotemWire", "Captures", "EngineKit", "WireFormat"]),
        tests("ClusterServices", ["CaptureSupport", "ClusterServices", "TotemNode", "TotemWire", "Captures", "EngineKit", "WireFormat"]),
        tests("Bridging", ["Bridging", "EngineKit", "WireFormat"]),
        tests(
            "Sides",
            ["Sides", "Bridging", "CmanNode", "CmanWire", "ClusterServices", "TotemNode", "TotemWire", "EngineKit", "WireFormat"]
        ),
        tests("Captures", ["CaptureSupport", "Captures", "CPcap", "WireFormat"]),
        tests(
            "Simulation",
            [
                "CaptureSupport", "Simulation", "Sides", "Bridging", "CmanNode", "CmanWire", "ClusterServices", "TotemNode", "TotemWire",
                "Captures", "EngineKit", "WireFormat",
            ]
        ),
        tests(
            "FixtureLibrary",
            [
                "FixtureLibrary", "CmanNode", "CmanWire", "ClusterServices", "TotemNode", "TotemWire", "TotemSecurity", "CaptureSupport",
                "Captures", "Dissection", "EngineKit", "WireFormat",
            ]
        ),
        tests("Dissection", ["CaptureSupport", "Dissection", "CmanWire", "TotemWire", "TotemSecurity", "Captures", "WireFormat"]),
        tests(
            "BridgeRuntime",
            [
                "ringbridge", "CaptureSupport", "BridgeRuntime", "CmanNode", "TotemNode", "TotemSecurity", "TotemWire", "ClusterServices",
                "Sides", "Bridging", "Captures", "EngineKit", "WireFormat",
            ]
        ),
        // Whole programs against real corosync in network namespaces; needs root.
        .testTarget(name: "InteropTests", dependencies: ["ringbridge"], exclude: ["Client"], swiftSettings: settings),
    ]
)
