// swift-tools-version: 6.1
// A package of somebody else's that depends on this one: it must build, and step a world.
import PackageDescription

let package = Package(
  name: "dependent",
  dependencies: [.package(name: "genie-environments", path: "../..")],
  targets: [
    .executableTarget(
      name: "StepWorld",
      dependencies: [
        .product(name: "Environments", package: "genie-environments"),
        .product(name: "GeneratedWorlds", package: "genie-environments"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
