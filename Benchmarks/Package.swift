// swift-tools-version: 6.1

import PackageDescription

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "ringbridge", path: "..")
    ],
    targets: [
        // Counts the calls of malloc and its like of the whole process.
        .target(name: "CAllocationCount"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "CAllocationCount",
                .product(name: "RingbridgeModules", package: "ringbridge"),
            ],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
            ]
        ),
        // Runs seeds of the simulator's families, to look for faults by the thousand.
        .executableTarget(
            name: "Seeds",
            dependencies: [.product(name: "RingbridgeModules", package: "ringbridge")],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
            ]
        ),
    ]
)
