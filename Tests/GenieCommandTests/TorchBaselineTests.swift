import Autograd
import Foundation
import TestSupport
import Testing
import WorldModel

@testable import genie

@Suite("PyTorch as a baseline")
struct TorchBaselineTests {
  private let request = TorchBaseline.Request(sampling: 2, steps: 1, DynamicsConfiguration())

  @Test("A reply gives seconds and version")
  func reply() throws {
    let (seconds, version) = try TorchBaseline.parse(Data(#"{"seconds": 0.25, "torch": "2.9"}"#.utf8))
    #expect(seconds == 0.25 && version == "2.9")
  }

  @Test("What went wrong over there is told here")
  func failure() {
    #expect(throws: TorchBaselineError.failed("ValueError: no")) {
      try TorchBaseline.parse(Data(#"{"error": "ValueError: no"}"#.utf8))
    }
  }

  @Test("Other replies are refused", arguments: ["", "{}", "[]", #"{"seconds": -1}"#, "Welcome to Python"])
  func badReply(line: String) {
    #expect(throws: TorchBaselineError.badReply(line)) { try TorchBaseline.parse(Data(line.utf8)) }
  }

  @Test("Settings of thread counts are not handed on, others are")
  func environment() {
    let kept = TorchBaseline.withoutThreadSettings([
      "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PATH": "/bin",
    ])
    #expect(kept == ["PATH": "/bin"])
  }

  /// A shell script in Python's place.
  private func impostor(_ script: String, in folder: URL) throws -> String {
    let file = folder.appending(path: "python")
    try Data("#!/bin/sh\n\(script)\n".utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    return file.path
  }

  @Test("Each request gets the reply of its line; one thread counts as many times as there are threads")
  func contestants() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    // Answers with the number of threads that it was asked to use.
    let script = #"""
      while read line; do
        threads=$(echo "$line" | sed 's/.*"threads":\([0-9]*\).*/\1/')
        echo "{\"seconds\": $threads, \"torch\": \"9\"}"
      done
      """#
    let baseline = try TorchBaseline(python: impostor(script, in: temporary.url))
    let contestants = baseline.contestants(request, threads: 4, precision: .float32)
    #expect(try contestants.map { try $0() } == [0.25, 4])
    #expect(baseline.version == "9")
    #expect(baseline.contestants(request, threads: 1, precision: .bfloat16).count == 2)
  }

  @Test("A Python that ends, or that is not there, is an error")
  func noPython() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let baseline = try TorchBaseline(python: impostor("exit 1", in: temporary.url))
    #expect(throws: TorchBaselineError.ended) { try baseline.measure(request) }
    #expect(throws: TorchBaselineError.self) {
      try TorchBaseline(python: temporary.url.appending(path: "nothing").path)
    }
  }

  /// A Python that has torch, where the tests are told of one.
  private static let python = ProcessInfo.processInfo.environment["GENIE_TORCH_PYTHON"]

  @Test("PyTorch answers", .enabled(if: python != nil))
  func torch() throws {
    let baseline = try TorchBaseline(python: try #require(Self.python))
    var short = request
    short.seconds = 0.01
    #expect(try baseline.measure(short) > 0)
    var training = TorchBaseline.Request(training: 1, time: 2, DynamicsConfiguration(blocks: 1))
    training.seconds = 0.01
    training.mode = Precision.bfloat16.rawValue
    #expect(try baseline.measure(training) > 0)
    #expect(baseline.version?.isEmpty == false)
  }
}
