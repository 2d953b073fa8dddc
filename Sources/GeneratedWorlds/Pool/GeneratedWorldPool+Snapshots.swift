import Autograd
import Environments
import WorldModel

/// What a snapshot of a dream can be restored into: the same numbers come out only of the same weights,
/// arithmetic and instructions.
struct DreamSnapshotHeader: Equatable {
  /// Of the world's weights and its way of sampling, hexadecimal.
  var model: String
  var precision: String
  var instructions: String

  private static let format = "GDRM3"

  func write(to writer: inout SnapshotWriter) {
    for text in [Self.format, model, precision, instructions] { writer.write(Array(text.utf8)) }
  }

  /// - Throws: ``Environments/EnvironmentError/invalidSnapshot(_:)`` that says what differs.
  func check(_ reader: inout SnapshotReader) throws(EnvironmentError) {
    func text() throws(EnvironmentError) -> String { String(decoding: try reader.readBytes(), as: UTF8.self) }
    guard try text() == Self.format else {
      throw .invalidSnapshot("it is none of a dream, or of another version")
    }
    for (what, own) in [("model", model), ("precision", precision), ("instructions", instructions)] {
      let found = try text()
      guard found == own else {
        throw .invalidSnapshot("its \(what) is '\(found.prefix(40))', here it is '\(own)'")
      }
    }
  }
}

extension GeneratedWorldPool: Snapshotting {
  /// The caches as they are, the random key, seeds, phase and steps: what follows is bit-identical.
  public func snapshot(_ slot: Slot) throws(EnvironmentError) -> [UInt8] {
    let dream = try dream(slot)
    var writer = SnapshotWriter()
    header.write(to: &writer)
    writer.write(dream.phase.rawValue)
    writer.write(Int64(dream.steps))
    writer.write(dream.seeds.upcoming)
    writer.write(dream.episodeSeed)
    writer.write(dream.memory.encoded())
    writer.write(dream.state.encoded())
    return writer.bytes
  }

  /// The slot keeps the horizon and the auxiliaries that it was opened with.
  /// - Throws: ``Environments/EnvironmentError/invalidSnapshot(_:)`` where model hash, precision or
  ///   instruction set differ, or
  ///   the bytes are damaged; the slot is as it was then.
  public mutating func restore(_ slot: Slot, from snapshot: [UInt8]) throws(EnvironmentError) {
    let dream = try dream(slot)
    var reader = SnapshotReader(snapshot)
    try header.check(&reader)
    let phase = Dream.Phase(rawValue: try reader.read(UInt8.self))
    let steps = Int(truncatingIfNeeded: try reader.read(Int64.self))
    let upcoming = try reader.read(UInt64.self)
    let seed = try reader.read(UInt64.self)
    let memory = EpisodeMemory(encoded: try reader.readBytes())
    let state = try reader.readBytes()
    guard let phase, let memory, (0...Int(Int32.max)).contains(steps), reader.isAtEnd else {
      throw .invalidSnapshot("it is damaged")
    }
    guard dream.state.decode(state, vocabulary: world.genie.configuration.dynamics.vocabulary) else {
      throw .invalidSnapshot("its state is damaged")
    }
    dream.phase = phase
    dream.steps = steps
    dream.seeds = SeedSequence(startingAt: upcoming)
    dream.episodeSeed = seed
    dream.memory = memory
  }

  public mutating func fork(_ slot: Slot) throws(EnvironmentError) -> Slot {
    let origin = try dream(slot)
    let fork = Dream(
      state: takeState(), horizon: origin.horizon, auxiliaries: origin.auxiliaries, sampling: origin.sampling)
    fork.state.copy(from: origin.state)
    fork.phase = origin.phase
    fork.steps = origin.steps
    fork.seeds = origin.seeds
    fork.episodeSeed = origin.episodeSeed
    fork.memory = origin.memory
    return try add(fork)
  }

  /// What snapshots of this pool name.
  static func header(of world: World, _ sampling: SamplingConfiguration) -> DreamSnapshotHeader {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ text: String) { for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 } }
    for (file, digest) in world.manifest.hashes.sorted(by: { $0.key < $1.key }) { mix(file + digest) }
    // A world that was never saved has no hashes: its weights are few.
    if world.manifest.hashes.isEmpty {
      let odds = world.odds?.state ?? [:]
      for state in [world.genie.tokenizer.state, world.genie.dynamics.state, odds] {
        for (name, tensor) in state.sorted(by: { $0.key < $1.key }) {
          mix(name)
          for value in tensor.values { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01B3 }
        }
      }
    }
    mix(
      "\(sampling.steps) \(sampling.temperature) \(sampling.leastShare) \(sampling.orderNoise) \(sampling.pilots) \(sampling.leastOdds)"
        + (sampling.tellsAge ? " aged" : "")
    )
    return DreamSnapshotHeader(
      model: String(hash, radix: 16), precision: world.precision.rawValue,
      instructions: world.precision.instructions)
  }
}
