// swift-tools-version: 6.2
import CompilerPluginSupport
import PackageDescription

// Each feature's proposal: ExistentialAny SE-0335, InternalImportsByDefault SE-0409, MemberImportVisibility SE-0444.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

// Where bytes of strangers and rules about them are judged there is no unsafe code (SE-0458 makes the compiler say so).
let safeSettings = settings + [.strictMemorySafety()]

// The gateway's own parts. Overlapping accesses to an object's properties are found where it is tested (SE-0176); looking
// for them on the way of every message is a sixth of what the program itself does for it. Not for the library's targets:
// packages with such flags cannot be depended on; in TLSEngine the five properties that every record needs are exempt by an
// attribute of their own.
let gatewaySettings: [SwiftSetting] = [
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
]

// Examples are built as a reader's own package would be: with no feature that is not on by default.
let exampleSettings: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "ipc-gateway",
    products: [
        .library(name: "IPCProtocol", targets: ["IPCProtocol"]),
        .library(name: "IPC", targets: ["IPC"]),
        .library(name: "IPCTransport", targets: ["IPCTransport"]),
        .executable(name: "ipc-gateway", targets: ["ipc-gateway"]),
        // For the packages Benchmarks and Fuzzing only, as the underscore says.
        .library(name: "_GatewayCore", targets: ["GatewayCore", "TLSEngine"]),
        .library(name: "_GatewayTestSupport", targets: ["GatewayTestSupport", "TLSEngine"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
        .package(url: "https://github.com/swiftlang/swift-syntax", from: "603.0.1"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenSSL",
            path: "COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        .target(name: "CLinux"),
        .target(name: "IPCProtocol", swiftSettings: safeSettings),
        .target(name: "IPC", dependencies: ["IPCMacros", "IPCProtocol", "PosixLock"], swiftSettings: safeSettings),
        .macro(
            name: "IPCMacros",
            dependencies: [
                .product(name: "SwiftCompilerPlugin", package: "swift-syntax"),
                .product(name: "SwiftDiagnostics", package: "swift-syntax"),
                .product(name: "SwiftParser", package: "swift-syntax"),
                .product(name: "SwiftSyntax", package: "swift-syntax"),
                .product(name: "SwiftSyntaxBuilder", package: "swift-syntax"),
                .product(name: "SwiftSyntaxMacros", package: "swift-syntax"),
            ],
            swiftSettings: settings
        ),
        .target(name: "PosixLock", swiftSettings: settings),
        .target(name: "TLSEngine", dependencies: ["COpenSSL", "PosixLock"], swiftSettings: settings),
        .target(
            name: "IPCTransport",
            dependencies: [
                "IPC", "IPCProtocol", "TLSEngine",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "GatewayCore",
            dependencies: ["IPCProtocol", "TLSEngine", .product(name: "Yams", package: "Yams")],
            swiftSettings: safeSettings + gatewaySettings
        ),
        .target(
            name: "GatewayRuntime",
            dependencies: [
                "CLinux", "GatewayCore", "IPCProtocol", "PosixLock", "TLSEngine",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings + gatewaySettings
        ),
        .target(
            name: "GatewayAdmin",
            dependencies: [
                "GatewayCore", "GatewayRuntime", "IPCProtocol", "PosixLock", "TLSEngine",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            // Compiled in: a program that is one file has no folder of resources beside it.
            resources: [.embedInCode("Dashboard/Dashboard.html")],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ipc-gateway",
            dependencies: [
                "GatewayAdmin", "GatewayCore", "GatewayRuntime", "IPC", "IPCProtocol", "IPCTransport", "TLSEngine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "example-server",
            dependencies: ["IPC", "IPCTransport"],
            path: "Examples/MinimalServer",
            swiftSettings: exampleSettings
        ),
        .executableTarget(
            name: "example-client",
            dependencies: ["IPC", "IPCTransport"],
            path: "Examples/MinimalClient",
            swiftSettings: exampleSettings
        ),
        .executableTarget(
            name: "example-service",
            dependencies: ["IPC", "IPCTransport"],
            path: "Examples/TypedService",
            swiftSettings: exampleSettings
        ),
        .executableTarget(
            name: "code-application",
            dependencies: ["IPC", "IPCTransport"],
            path: "Examples/CodeApplication",
            swiftSettings: exampleSettings
        ),
        .target(
            name: "GatewayTestSupport",
            dependencies: ["IPC", "IPCProtocol", "TLSEngine"],
            path: "Tests/GatewayTestSupport",
            resources: [.copy("Vectors")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IPCProtocolTests",
            dependencies: ["IPCProtocol", "GatewayTestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IPCTests",
            dependencies: ["IPC", "IPCProtocol", "GatewayTestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TLSEngineTests",
            dependencies: ["TLSEngine", "GatewayTestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GatewayCoreTests",
            dependencies: ["GatewayCore", "GatewayTestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IPCTransportTests",
            dependencies: [
                "GatewayTestSupport", "IPC", "IPCProtocol", "IPCTransport", "TLSEngine",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "InteropTests",
            dependencies: ["GatewayTestSupport", "IPC", "IPCProtocol", "IPCTransport", "TLSEngine"],
            exclude: ["Node"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ExampleTests",
            dependencies: [
                "GatewayTestSupport", "code-application", "example-client", "example-server", "example-service",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GatewayAdminTests",
            dependencies: ["GatewayAdmin", "GatewayRuntime", "GatewayTestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "GatewayCore", "GatewayRuntime", "GatewayTestSupport", "IPC", "IPCProtocol", "IPCTransport",
                "TLSEngine",
                "ipc-gateway",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            exclude: ["Node"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
