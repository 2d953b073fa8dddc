import Conformance
import Environments
import Foundation
import Testing
import WireProtocol
import WorldServer

/// Noop at a server that is not as others are.
private struct OddPool: EnvironmentPool {
  var specification: EnvironmentSpecification
  /// Whether slots that are closed are never free again.
  var isLeaky = false
  private var base = GamePool(Noop())
  private var opened = 0

  init(_ change: (inout OddPool) -> Void = { _ in }) {
    specification = base.specification
    change(&self)
  }

  mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    guard opened < specification.slotLimit else { throw .tooManySlots(limit: specification.slotLimit) }
    let slot = try base.open(options)
    opened += 1
    return slot
  }

  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
  }

  mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.step(slots, actions, into: &batch)
  }

  mutating func close(_ slot: Slot) {
    base.close(slot)
    if !isLeaky { opened -= 1 }
  }
}

@Suite struct OddServerTests {
  /// What the suite finds at a server of one odd environment, beside one whose worlds can be kept.
  private func findings(
    _ limits: Limits = Limits(), _ change: @escaping @Sendable (inout OddPool) -> Void = { _ in }
  ) throws -> [ConformanceSuite.Finding] {
    var catalogue = EnvironmentCatalogue.builtIn
    catalogue.register("Odd-v1") { OddPool(change) }
    var configuration = ServerConfiguration(endpoints: ["ipc://*"])
    configuration.limits = limits
    let server = EnvironmentServer(configuration, catalogue: catalogue)
    let endpoint = try server.start()[0]
    defer { server.stop() }
    return try ConformanceSuite(endpoint, environment: "Odd-v1").run()
  }

  /// An environment without snapshots is asked for some, and a limit that no message reaches is not crossed.
  @Test func whatHasNoOccasionIsSkipped() throws {
    var limits = Limits()
    limits.metadataBytes = .max
    let findings = try findings(limits)
    #expect(findings.filter { $0.reason != nil } == [])
    let skipped = findings.filter(\.isSkipped).map { $0.check.prefix { $0 != ":" } }
    #expect(skipped == ["too large", "snapshot", "fork", "restore"])
  }

  @Test(arguments: [0, -1, 1 << 40]) func actionsThatNobodyCanCountAreRefused(_ count: Int) throws {
    let reason = "the server describes an environment of \(count) actions"
    #expect(throws: EnvironmentError.refused(reason: reason)) {
      try findings { $0.specification.actionSpace.count = count }
    }
  }

  /// Slots that never come back show only where more are opened than there are.
  @Test func leakedSlotsAreFound() throws {
    let findings = try findings {
      $0.isLeaky = true
      $0.specification.slotLimit = 1_000
    }
    let finding = try #require(
      findings.first { $0.check == "close: the slots of ended sessions can be opened again" })
    #expect(finding.reason?.contains("TOO_MANY_SLOTS") == true)
  }
}
