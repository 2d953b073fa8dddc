/// A pool whose slots each hold one copy of a game.
///
/// ```swift
/// var pool = GamePool(Platformer())
/// let slot = try pool.open(OpenOptions())
/// var batch = pool.makeBatch()
/// try pool.reset([slot], [ResetOptions(seed: 7)], into: &batch)
/// try pool.step([slot], [2], into: &batch)
/// ```
public struct GamePool<G: Game>: Snapshotting, Sendable {
  public let specification: EnvironmentSpecification
  private let game: G
  private var players: SlotTable<GamePlayer<G>>

  /// - Parameter game: every slot opens with a copy of it, and so with its settings.
  public init(_ game: G) {
    self.game = game
    specification = game.specification
    players = SlotTable(limit: specification.slotLimit)
  }

  /// The game in a slot, for a policy that knows its rules; nil if the slot is not open.
  public func game(in slot: Slot) -> G? {
    players.contains(slot) ? players[slot].game : nil
  }

  /// - Throws: ``EnvironmentError/unknownAuxiliary(_:offered:)``,
  ///   ``EnvironmentError/invalidOption(name:reason:)``
  ///   for a horizon below 1, ``EnvironmentError/tooManySlots(limit:)``.
  public mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    try specification.check(options)
    return try players.open(
      GamePlayer(
        game: game, horizon: options.horizon ?? specification.horizon, auxiliaries: options.auxiliaries))
  }

  public mutating func close(_ slot: Slot) {
    players.close(slot)
  }

  // A pool is called through `any EnvironmentPool`: without a version of its own, a game's hot loop would
  // look up types at run time, slot by slot.
  @_specialize(where G == Platformer)
  @_specialize(where G == Noop)
  public mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try players.check(slots, count: options.count, of: "reset options")
    batch.prepare(count: slots.count, for: observationSpace)
    for (row, slot) in slots.enumerated() {
      do throws(EnvironmentError) {
        try players[slot].reset(options[row])
        players[slot].write(GameOutcome(), into: &batch, row: row)
      } catch {
        batch.faults[row] = error
      }
    }
  }

  @_specialize(where G == Platformer)
  @_specialize(where G == Noop)
  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try players.check(slots, count: actions.count, of: "actions")
    batch.prepare(count: slots.count, for: observationSpace)
    for (row, slot) in slots.enumerated() {
      do throws(EnvironmentError) {
        let outcome = try players[slot].step(actions[row], of: specification.actionSpace)
        players[slot].write(outcome, into: &batch, row: row)
      } catch {
        batch.faults[row] = error
      }
    }
  }
}

extension GamePool {
  public func snapshot(_ slot: Slot) throws(EnvironmentError) -> [UInt8] {
    try players.check(slot)
    let player = players[slot]
    var writer = SnapshotWriter()
    writer.write(Array(specification.name.utf8))
    writer.write(player.phase.rawValue)
    writer.write(Int64(player.steps))
    writer.write(player.seeds.upcoming)
    player.game.save(to: &writer)
    return writer.bytes
  }

  /// The slot keeps the horizon and the auxiliaries that it was opened with.
  public mutating func restore(_ slot: Slot, from snapshot: [UInt8]) throws(EnvironmentError) {
    try players.check(slot)
    var reader = SnapshotReader(snapshot)
    guard try reader.readBytes() == Array(specification.name.utf8) else {
      throw .invalidSnapshot("it is not one of \(specification.name)")
    }
    // Into a copy first: a snapshot that turns out to be broken leaves the slot as it was.
    var player = players[slot]
    let phase = GamePlayer<G>.Phase(rawValue: try reader.read(UInt8.self))
    let steps = Int(truncatingIfNeeded: try reader.read(Int64.self))
    guard let phase, (0...Int(Int32.max)).contains(steps) else { throw .invalidSnapshot("it is damaged") }
    player.phase = phase
    player.steps = steps
    player.seeds = SeedSequence(startingAt: try reader.read(UInt64.self))
    try player.game.load(from: &reader)
    guard reader.isAtEnd else { throw .invalidSnapshot("it is too long") }
    players[slot] = player
  }

  public mutating func fork(_ slot: Slot) throws(EnvironmentError) -> Slot {
    try players.check(slot)
    return try players.open(players[slot])
  }
}
