// swift-tools-version: 6.1

import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .unsafeFlags(["-warnings-as-errors"]),
]

let package = Package(
    name: "fuzzing",
    dependencies: [
        .package(name: "ringbridge", path: "..")
    ],
    targets: [
        // Has no main function of its own: libFuzzer brings it (scripts/fuzz builds with --sanitize fuzzer, which links it into every
        // program of the package).
        .executableTarget(
            name: "Fuzz",
            dependencies: [.product(name: "RingbridgeDecoding", package: "ringbridge")],
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]
        )
    ]
)
