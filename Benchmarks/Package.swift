// swift-tools-version: 6.2
import PackageDescription

// A package of its own: what users of the library build does not include its benchmarks.
let package = Package(
    name: "ipc-gateway-benchmarks",
    products: [
        // For LD_PRELOAD, to count the allocations of the gateway as it is.
        .library(name: "allocation-counter", type: .dynamic, targets: ["CAllocations"])
    ],
    dependencies: [
        .package(name: "ipc-gateway", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // In C: what clients and server need is not to be what limits everybody.
        .executableTarget(
            name: "load",
            cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]
        ),
        // Counts allocations, and marks what is measured for callgrind.
        .target(name: "CAllocations"),
        .executableTarget(
            name: "micro-bench",
            dependencies: [
                "CAllocations",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "IPCProtocol", package: "ipc-gateway"),
                .product(name: "_GatewayCore", package: "ipc-gateway"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
        .executableTarget(
            name: "ipc-bench",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "IPC", package: "ipc-gateway"),
                .product(name: "IPCTransport", package: "ipc-gateway"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
        .executableTarget(
            name: "gateway-bench",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "IPCProtocol", package: "ipc-gateway"),
                .product(name: "_GatewayTestSupport", package: "ipc-gateway"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
        .executableTarget(
            name: "soak",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "IPCProtocol", package: "ipc-gateway"),
                .product(name: "_GatewayTestSupport", package: "ipc-gateway"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
    ],
    swiftLanguageModes: [.v6]
)
