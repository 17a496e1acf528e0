// swift-tools-version: 6.2
import PackageDescription

// A package of its own: everything in it, the main package included, is built for libFuzzer (see build.sh).
let package = Package(
    name: "ipc-gateway-fuzzing",
    dependencies: [
        .package(name: "ipc-gateway", path: "..")
    ],
    targets: [
        .target(name: "CLibFuzzer"),
        .executableTarget(
            name: "ipc-fuzz",
            dependencies: [
                "CLibFuzzer",
                .product(name: "IPCProtocol", package: "ipc-gateway"),
                .product(name: "_GatewayCore", package: "ipc-gateway"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
    ],
    swiftLanguageModes: [.v6]
)
