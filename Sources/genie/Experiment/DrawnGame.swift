import Autograd
import Environments
import GeneratedWorlds
import WorldModel

/// A game as a world draws it: every picture through the world's tokenizer and back, and nothing else changed. What a policy of the dream
/// does better there than in the game, it owes to what pictures look like.
struct DrawnGame: Wrapper {
  var base: any EnvironmentPool
  private let tokenizer: Tokenizer
  /// Codes of the last frames of each slot, as far back as the decoder looks.
  private var codes: [Slot: [Int32]] = [:]
  private let arena = Arena()

  init(_ base: any EnvironmentPool, drawnBy world: World) {
    self.base = base
    tokenizer = world.genie.tokenizer
  }

  var specification: EnvironmentSpecification { base.specification }

  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil { codes[slot] = [] }
    draw(slots, &batch)
  }

  mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.step(slots, actions, into: &batch)
    draw(slots, &batch)
  }

  mutating func close(_ slot: Slot) {
    base.close(slot)
    codes[slot] = nil
  }

  private mutating func draw(_ slots: [Slot], _ batch: inout StepBatch) {
    let size = specification.observationSpace
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil {
      arena.reset()
      let frame = FrameBatch(
        clips: 1, time: 1, height: size.height, width: size.width, bytes: Array(batch.observation(row)))
      var own = codes[slot, default: []] + tokenizer.encode(frame, arena: arena)
      own.removeFirst(max(0, own.count - tokenizer.configuration.window * tokenizer.tokens))
      codes[slot] = own
      let drawn = tokenizer.decode(own, clips: 1, time: own.count / tokenizer.tokens, arena: arena)
      batch.withObservation(row) { pixels in
        for (index, byte) in drawn.bytes.suffix(drawn.frameSize).enumerated() { pixels[index] = byte }
      }
    }
  }

  func write(_ slot: Slot, to snapshot: inout SnapshotWriter) {
    let own = codes[slot, default: []]
    snapshot.write(UInt32(own.count))
    for code in own { snapshot.write(UInt32(code)) }
  }

  mutating func read(_ slot: Slot, from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    let count = Int(try snapshot.read(UInt32.self))
    guard count % tokenizer.tokens == 0, count <= tokenizer.configuration.window * tokenizer.tokens else {
      throw .invalidSnapshot("\(count) codes")
    }
    var own: [Int32] = []
    for _ in 0..<count {
      let code = try snapshot.read(UInt32.self)
      guard code < UInt32(tokenizer.vocabulary) else { throw .invalidSnapshot("code \(code)") }
      own.append(Int32(code))
    }
    codes[slot] = own
  }
}
