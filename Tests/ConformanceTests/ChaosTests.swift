import Conformance
import Foundation
import Testing

/// The short version of `genie chaos`, for what needs no server of its own process.
@Suite struct ChaosTests {
  @Test func stepsHappenOnceWhateverTheNetworkDoes() throws {
    let chaos = try Chaos(scale: 0.006, genie: URL(filePath: "/nowhere"))
    defer { chaos.removeFiles() }
    let row = try chaos.run(.delivery)
    #expect(row.passed, "\(row.measured)")
    #expect(row.figures["lost", default: 0] > 0, "nothing was put to the test")
  }
}
