import Environments
import PlayPage

/// The platformer without its snapshots.
struct Bare: EnvironmentPool {
  private var game = GamePool(Platformer())

  var specification: EnvironmentSpecification { game.specification }

  mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot { try game.open(options) }

  mutating func close(_ slot: Slot) { game.close(slot) }

  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) { try game.reset(slots, options, into: &batch) }

  mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) { try game.step(slots, actions, into: &batch) }
}

/// A frame that shows a sum, and a number to turn that says how much is added in a step.
struct Dial: EnvironmentPool, Tunable {
  private struct Sum {
    var value: UInt8 = 0
    var gain = 1.0
  }

  private var sums = SlotTable<Sum>(limit: 64)

  let specification = EnvironmentSpecification(
    name: "Dial", observationSpace: Box(height: 1, width: 1), actionSpace: Discrete(1))
  let tunings = [Tuning("gain", summary: "Added in a step.", in: 0...9, step: 1, standard: 1)]

  mutating func tune(_ slot: Slot, _ values: [String: Double]) throws(EnvironmentError) {
    try check(values)
    try sums.check(slot)
    if let gain = values["gain"] { sums[slot].gain = gain }
  }

  mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot { try sums.open(Sum()) }

  mutating func close(_ slot: Slot) { sums.close(slot) }

  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    for slot in slots { sums[slot].value = 0 }
    show(slots, &batch)
  }

  mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    for slot in slots { sums[slot].value &+= UInt8(sums[slot].gain) }
    show(slots, &batch)
  }

  private func show(_ slots: [Slot], _ batch: inout StepBatch) {
    batch.prepare(count: slots.count)
    for (row, slot) in slots.enumerated() {
      batch.withObservation(row) { for index in $0.indices { $0[index] = sums[slot].value } }
    }
  }
}

/// Runs once it sees that something moved.
struct Sprinter: Player {
  let name = "sprinter"
  let frames = 2

  func decide(_ observation: [UInt8], seed: UInt64) -> Decision {
    // Channels are older red, green, blue, then newer ones.
    let moved = stride(from: 0, to: observation.count, by: 6).contains {
      observation[$0] != observation[$0 + 3]
    }
    var probabilities = [Float](repeating: 0, count: 6)
    probabilities[moved ? 2 : 0] = 1
    return Decision(action: moved ? 2 : 0, probabilities: probabilities, value: moved ? 1 : 0)
  }
}
