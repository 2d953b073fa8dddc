import Environments
import Foundation
import WorldServer

/// A server of the built-in games and a slow one, stopped when the test is over.
final class GameServer {
  let server: EnvironmentServer
  let endpoint: String

  init(
    _ endpoint: String = "ipc://*", slowSeconds: Double = 0.3,
    _ configure: (inout ServerConfiguration) -> Void = { _ in }
  ) throws {
    var configuration = ServerConfiguration(endpoints: [endpoint])
    configure(&configuration)
    var catalogue = EnvironmentCatalogue.builtIn
    catalogue.register("Slow-v1") { SlowPool(seconds: slowSeconds) }
    server = EnvironmentServer(configuration, catalogue: catalogue)
    self.endpoint = try server.start()[0]
  }

  deinit { server.stop() }
}

/// Noop, but every step takes its time; the reward counts the steps.
struct SlowPool: EnvironmentPool {
  private var base = GamePool(Noop())
  private var steps: Float = 0
  private let seconds: Double

  init(seconds: Double) { self.seconds = seconds }

  var specification: EnvironmentSpecification { base.specification }

  mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot { try base.open(options) }

  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
  }

  mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    Thread.sleep(forTimeInterval: seconds)
    try base.step(slots, actions, into: &batch)
    steps += 1
    for row in slots.indices { batch.rewards[row] = steps }
  }

  mutating func close(_ slot: Slot) { base.close(slot) }
}
