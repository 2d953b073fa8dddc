// swift-tools-version: 6.1
import PackageDescription

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

// The system's libraries, by module map only.
let systemLibraries: [Target] = [
  .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
  .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
  .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
  .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
]

// The rooms of the house, in the order in which data flows through them; no arrow runs back.
let libraries: [Target] = [
  .target(name: "Safetensors"),
  .target(name: "Reporting", dependencies: ["Safetensors"]),
  .target(name: "Autograd", dependencies: ["CKernels"]),
  .target(
    name: "MessagePassing",
    dependencies: ["Autograd", .target(name: "CMPI", condition: .when(traits: ["MPI"]))]),
  .target(name: "NeuralNetwork", dependencies: ["Autograd", "CKernels", "Safetensors"]),
  .target(name: "Video", dependencies: ["CPNG", "Safetensors"]),
  .target(name: "WorldModel", dependencies: ["NeuralNetwork", "Video", "Reporting"]),
  .target(name: "Environments"),
  .target(
    name: "GeneratedWorlds", dependencies: ["WorldModel", "Environments"],
    resources: [.copy("Worlds")]),
  .target(name: "WireProtocol", dependencies: ["CZeroMQ", "Environments"], exclude: ["PROTOCOL.md"]),
  .target(name: "WorldServer", dependencies: ["WireProtocol", "Environments", logging]),
  .target(name: "AgentSDK", dependencies: ["WireProtocol", "Environments"]),
  .target(
    name: "PlayPage", dependencies: ["Environments", .product(name: "FlyingFox", package: "FlyingFox")],
    resources: [.copy("Page")]),
  .target(
    name: "Conformance", dependencies: ["AgentSDK", "WorldServer", "WireProtocol", "Environments", logging]),
  .target(name: "ReinforcementLearning", dependencies: ["NeuralNetwork", "Environments", "Reporting"]),
]

// What the command lines share: no library needs a parser of arguments.
let clientOptions = Target.target(name: "ClientOptions", dependencies: ["WireProtocol", argumentParser])

let executables: [Target] = [
  .executableTarget(
    name: "genie",
    dependencies: [
      "GeneratedWorlds", "WorldModel", "Video", "Environments", "WorldServer", "AgentSDK",
      "PlayPage", "ReinforcementLearning", "MessagePassing",
      "Reporting", "WireProtocol", "Conformance", "ClientOptions", "CEcho", "CKernels", argumentParser,
      logging,
    ],
    resources: [.embedInCode("Benchmark/torch_reference.py")]),
  .executableTarget(
    name: "RandomAgent",
    dependencies: [
      "AgentSDK", "ClientOptions", "Environments", "ReinforcementLearning", "Reporting", argumentParser,
    ],
    path: "Agents/Swift/RandomAgent"),
  .executableTarget(
    name: "PlanningAgent",
    dependencies: [
      "AgentSDK", "ClientOptions", "Environments", "ReinforcementLearning", "Reporting", argumentParser,
    ],
    path: "Agents/Swift/PlanningAgent"),
  .executableTarget(
    name: "PPOAgent",
    dependencies: [
      "AgentSDK", "ClientOptions", "Environments", "ReinforcementLearning", "Reporting", argumentParser,
    ],
    path: "Agents/Swift/PPOAgent"),
  .executableTarget(
    name: "ImitationAgent",
    dependencies: [
      "AgentSDK", "ClientOptions", "Environments", "GeneratedWorlds", "ReinforcementLearning", "Reporting",
      "Video", argumentParser,
    ],
    path: "Agents/Swift/ImitationAgent"),
]

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(name: name + "Tests", dependencies: [.init(stringLiteral: name), "TestSupport"] + dependencies)
}

let testTargets: [Target] = [
  .target(name: "TestSupport", dependencies: ["Autograd"], path: "Tests/TestSupport"),
  .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
  tests("CKernels", ["COpenBLAS"]),
  tests("Safetensors"),
  tests("Reporting"),
  tests("Autograd"),
  tests("MessagePassing", ["NeuralNetwork"]),
  tests("NeuralNetwork"),
  tests("Video"),
  tests("WorldModel", ["AllocationCounter"]),
  tests("Environments"),
  tests("GeneratedWorlds"),
  tests("WireProtocol"),
  tests("WorldServer", ["AgentSDK"]),
  tests("AgentSDK", ["WorldServer"]),
  tests("PlayPage"),
  tests("Conformance", ["WorldServer"]),
  tests("ReinforcementLearning"),
  tests(
    "ClientOptions",
    ["AgentSDK", "Environments", "PPOAgent", "RandomAgent", "WireProtocol", "WorldServer", "genie"]),
  .testTarget(
    name: "GenieCommandTests",
    dependencies: [
      "genie", "GeneratedWorlds", "WorldModel", "Environments", "ReinforcementLearning", "Video",
      "TestSupport", logging,
    ]),
  .testTarget(
    name: "EndToEndTests",
    dependencies: [
      "genie", "AgentSDK", "Environments", "GeneratedWorlds", "MessagePassing", "TestSupport",
    ]),
]

let package = Package(
  name: "genie-environments",
  products: libraries.map { .library(name: $0.name, targets: [$0.name]) },
  traits: [.trait(name: "MPI", description: "Training on many machines; needs libopenmpi-dev.")],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
  ],
  targets: systemLibraries + [.target(name: "CKernels"), .target(name: "CEcho")] + libraries
    + [clientOptions] + executables + testTargets,
  swiftLanguageModes: [.v6]
)
