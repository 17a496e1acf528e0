// swift-tools-version: 6.2
import PackageDescription

// Tests of the macros' expansions and diagnostics, in a package of their own: a test that depends on a macro makes SwiftPM
// build everything a second time for the host, without the sanitizers. The sources are those of the macro, as a library.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "macro-tests",
    dependencies: [
        .package(url: "https://github.com/swiftlang/swift-syntax", from: "603.0.1")
    ],
    targets: [
        .target(
            name: "IPCMacros",
            dependencies: [
                .product(name: "SwiftDiagnostics", package: "swift-syntax"),
                .product(name: "SwiftParser", package: "swift-syntax"),
                .product(name: "SwiftSyntax", package: "swift-syntax"),
                .product(name: "SwiftSyntaxBuilder", package: "swift-syntax"),
                .product(name: "SwiftSyntaxMacros", package: "swift-syntax"),
            ],
            // What the compiler starts: a program's entry, which a library has not.
            exclude: ["IPCMacrosPlugin.swift"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IPCMacrosTests",
            dependencies: [
                "IPCMacros",
                .product(name: "SwiftSyntaxMacroExpansion", package: "swift-syntax"),
                .product(name: "SwiftSyntaxMacrosGenericTestSupport", package: "swift-syntax"),
            ],
            path: "IPCMacrosTests",
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
