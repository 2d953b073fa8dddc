import Environments

/// All worlds that pages play, in one pool, and the answers to what the pages ask. It belongs to one thread.
struct Playhouse {
  private struct Place: Hashable {
    var visit: Int
    var world: Int
  }

  /// Steps after which an episode is cut, whatever the pool's own horizon: a person may play on while an
  /// agent would begin anew, and a page keeps all frames to go back to.
  static let horizon = 3_000
  static let visitLimit = 16

  let welcome: Welcome
  let space: Box
  private(set) var pool: any EnvironmentPool
  private let players: [any Player]
  private let auxiliaries: [String]
  private var batch: StepBatch
  private var worlds: [Place: PlayedWorld] = [:]
  private var visits: Set<Int> = []
  private var lastVisit = 0

  /// - Parameters:
  ///   - actionNames: instead of the pool's own, where it has none.
  ///   - dreamsLevels: see ``PlayConfiguration/dreamsLevels``.
  ///   - players: who can be asked to play.
  /// - Throws: ``Environments/EnvironmentError/unsupported(_:)`` for a pool whose frames are no RGB pictures.
  init(
    _ pool: any EnvironmentPool, actionNames: [String] = [], dreamsLevels: Bool = false,
    players: [any Player] = []
  ) throws(EnvironmentError) {
    let specification = pool.specification
    space = specification.observationSpace
    guard space.channels == 3, max(space.height, space.width) <= 1024, specification.actionSpace.count <= 255
    else { throw .unsupported("a page for frames of \(space.height) x \(space.width) x \(space.channels)") }
    let own = specification.actionSpace.names
    let names = own.isEmpty && actionNames.count == specification.actionSpace.count ? actionNames : own
    welcome = Welcome(
      name: specification.name, height: space.height, width: space.width,
      actions: specification.actionSpace.count, actionNames: names, frameRate: specification.frameRate,
      horizon: specification.horizon, levels: specification.levels, dreamsLevels: dreamsLevels,
      promptLimit: specification.promptLimit,
      players: players.map(\.name), tunings: (pool as? any Tunable)?.tunings ?? [],
      charts: (pool as? any Charting)?.charts ?? [])
    auxiliaries = ["logLikelihood", "entropy"].filter(specification.auxiliaries.contains)
    batch = pool.makeBatch()
    self.pool = pool
    self.players = players
  }

  // MARK: - Visits

  /// A page was opened.
  mutating func enter() throws(PlayError) -> Int {
    guard visits.count < Self.visitLimit else { throw .crowded(limit: Self.visitLimit) }
    lastVisit += 1
    visits.insert(lastVisit)
    return lastVisit
  }

  /// A page was closed: its worlds go.
  mutating func leave(_ visit: Int) {
    visits.remove(visit)
    for place in worlds.keys where place.visit == visit { close(place) }
  }

  private mutating func close(_ place: Place) {
    if let world = worlds.removeValue(forKey: place) { pool.close(world.slot) }
  }

  // MARK: - Requests

  mutating func answer(_ request: Request, of visit: Int) -> Reply {
    do {
      switch request {
      case .hello: return .welcome(welcome)
      case .start(let world, let seed, let level, let prompt):
        let options = ResetOptions(seed: seed, level: level, prompt: prompt)
        return .frame(try start(Place(visit: visit, world: world), options))
      case .step(let world, let action): return .frame(try step(Place(visit: visit, world: world), action))
      case .rewind(let world, let frame):
        return .frame(try rewind(Place(visit: visit, world: world), to: frame))
      case .branch(let from, let to, let frame):
        return .frame(
          try branch(Place(visit: visit, world: from), into: Place(visit: visit, world: to), at: frame))
      case .close(let world):
        close(Place(visit: visit, world: world))
        return .done
      case .tune(let world, let values):
        try tune(Place(visit: visit, world: world), values)
        return .done
      case .chart(let world, let name):
        guard name.map(welcome.charts.contains) ?? true else {
          throw PlayError.notOffered("chart '\(name!)'")
        }
        return .frame(try change(Place(visit: visit, world: world)) { $0.chart = name })
      case .player(let world, let name):
        let player = name.flatMap { name in players.first { $0.name == name } }
        if let name, player == nil { throw PlayError.noPlayer(name, offered: welcome.players) }
        return .frame(try change(Place(visit: visit, world: world)) { $0.player = player })
      case .actions(let world, let frame):
        return .sheet(try actions(Place(visit: visit, world: world), from: frame))
      case .gallery(let first, let count): return .sheet(try gallery(from: first, count))
      }
    } catch let error as PlayError {
      return .refused(error)
    } catch let error as EnvironmentError {
      return .refused(.environment(error))
    } catch {
      return .refused(.malformed(reason: "\(error)"))
    }
  }

  private mutating func start(_ place: Place, _ options: ResetOptions) throws -> FrameReply {
    let before = worlds[place]
    let slot = try before?.slot ?? pool.open(OpenOptions(auxiliaries: auxiliaries, horizon: Self.horizon))
    let clock = ContinuousClock.now
    do {
      try pool.reset([slot], [options], into: &batch)
      if let fault = batch.faults[0] { throw fault }
    } catch {
      // A start that was refused leaves the episode before it as it was.
      if before == nil { pool.close(slot) }
      throw error
    }
    var world = PlayedWorld(slot: slot, start: options, frame: Array(batch.observation(0)))
    world.tuning = before?.tuning ?? [:]
    world.player = before?.player
    world.chart = before?.chart
    return finish(&world, place, since: clock)
  }

  private mutating func step(_ place: Place, _ action: Int32?) throws -> FrameReply {
    var world = try world(place)
    guard let action = action ?? world.decision?.action else {
      throw world.hasEnded ? PlayError.environment(.needsReset) : PlayError.noPlayer(nil, offered: [])
    }
    let clock = ContinuousClock.now
    try pool.step([world.slot], [action], into: &batch)
    if let fault = batch.faults[0] { throw fault }
    worlds[place] = nil  // so that its arrays are changed in place
    world.append(
      PlayedWorld.Step(
        action: action, tuning: world.tuning, reward: batch.rewards[0], terminated: batch.terminated[0],
        truncated: batch.truncated[0], logLikelihood: batch.auxiliaries["logLikelihood"]?[0] ?? .nan,
        entropy: batch.auxiliaries["entropy"]?[0] ?? .nan),
      Array(batch.observation(0)), keeping: frameLimit)
    if world.wantsMark, let keeper = pool as? any Snapshotting, let kept = try? keeper.snapshot(world.slot) {
      world.mark(kept)
    }
    return finish(&world, place, since: clock)
  }

  private mutating func rewind(_ place: Place, to frame: Int) throws -> FrameReply {
    var world = try world(place)
    let clock = ContinuousClock.now
    let recent = try recreate(world, at: frame, in: [world.slot])
    world.cut(after: frame, recent: recent)
    return finish(&world, place, since: clock)
  }

  private mutating func branch(_ place: Place, into other: Place, at frame: Int) throws -> FrameReply {
    let world = try world(place)
    let clock = ContinuousClock.now
    let slot = try pool.open(OpenOptions(auxiliaries: auxiliaries, horizon: Self.horizon))
    let recent: [[UInt8]]
    do { recent = try recreate(world, at: frame, in: [slot]) } catch {
      pool.close(slot)
      throw error
    }
    close(other)
    var branch = world.branched(into: slot, at: frame, recent: recent)
    return finish(&branch, other, since: clock)
  }

  private mutating func tune(_ place: Place, _ values: [String: Double]) throws {
    var world = try world(place)
    guard var tunable = pool as? any Tunable else { throw PlayError.notOffered("numbers to turn") }
    try tunable.tune(world.slot, values)
    pool = tunable
    world.tuning.merge(values) { $1 }
    worlds[place] = world
  }

  private mutating func change(_ place: Place, _ body: (inout PlayedWorld) -> Void) throws -> FrameReply {
    var world = try world(place)
    body(&world)
    return finish(&world, place, since: .now)
  }

  /// Asks the player, keeps the world and makes the reply.
  private mutating func finish(
    _ world: inout PlayedWorld, _ place: Place, since start: ContinuousClock.Instant
  ) -> FrameReply {
    world.decide()
    worlds[place] = world
    let chart = world.chart.flatMap { try? (pool as? any Charting)?.chart($0, of: world.slot) }
    let milliseconds = Float((ContinuousClock.now - start) / .milliseconds(1))
    return world.reply(world: place.world, milliseconds: milliseconds, chart: chart)
  }

  private func world(_ place: Place) throws(PlayError) -> PlayedWorld {
    guard let world = worlds[place] else { throw .unknownWorld(place.world) }
    return world
  }

  private var frameLimit: Int { players.map(\.frames).max() ?? 1 }
}

// MARK: - Frames again

extension Playhouse {
  /// Brings slots to a frame of a world's episode: from the mark before it, or from the start.
  /// - Returns: the last frames up to that one.
  private mutating func recreate(_ world: PlayedWorld, at frame: Int, in slots: [Slot]) throws -> [[UInt8]] {
    guard (0...world.steps.count).contains(frame) else {
      throw PlayError.noFrame(frame, count: world.steps.count + 1)
    }
    var recent: [[UInt8]]
    var number = 0
    // At least one step is taken again: a snapshot does not carry what charts show of the last one.
    if let mark = world.mark(before: frame), restore(mark.snapshot, in: slots) {
      recent = mark.recent
      number = mark.number
    } else {
      try pool.reset(slots, slots.map { _ in world.start }, into: &batch)
      if let fault = batch.faults.lazy.compactMap(\.self).first { throw fault }
      recent = [Array(batch.observation(0))]
    }
    for step in world.steps[number..<frame] {
      try turn(slots, step.tuning)
      try pool.step(slots, slots.map { _ in step.action }, into: &batch)
      if let fault = batch.faults.lazy.compactMap(\.self).first { throw fault }
      recent.append(Array(batch.observation(0)))
      if recent.count > frameLimit { recent.removeFirst() }
    }
    try turn(slots, world.tuning)
    return recent
  }

  private mutating func restore(_ snapshot: [UInt8], in slots: [Slot]) -> Bool {
    guard var keeper = pool as? any Snapshotting else { return false }
    for slot in slots {
      do { try keeper.restore(slot, from: snapshot) } catch { return false }
    }
    pool = keeper
    return true
  }

  private mutating func turn(_ slots: [Slot], _ values: [String: Double]) throws(EnvironmentError) {
    guard var tunable = pool as? any Tunable else { return }
    for slot in slots {
      // A slot opens with the standard values, and a step may have been taken before any was turned.
      var all = Dictionary(uniqueKeysWithValues: tunable.tunings.map { ($0.name, $0.standard) })
      all.merge(values) { $1 }
      try tunable.tune(slot, all)
    }
    pool = tunable
  }

  /// Steps for which each action is held.
  private static let held = 8

  private mutating func actions(_ place: Place, from frame: Int) throws -> Sheet {
    let world = try world(place)
    let count = welcome.actions
    var slots: [Slot] = []
    defer { for slot in slots { pool.close(slot) } }
    for _ in 0..<count {
      slots.append(try pool.open(OpenOptions(horizon: Self.horizon + Self.held)))
    }
    // From an end nothing leads on: then from the frame before it.
    let isEnd = world.hasEnded && frame == world.steps.count
    let first = try recreate(world, at: isEnd ? frame - 1 : frame, in: slots).last ?? []
    var frames = [[UInt8]](repeating: first, count: count)
    var playing = Array(0..<count)
    for _ in 0..<Self.held where !playing.isEmpty {
      try pool.step(playing.map { slots[$0] }, playing.map(Int32.init), into: &batch)
      for (row, action) in playing.enumerated() where batch.faults[row] == nil {
        frames[action] += batch.observation(row)
      }
      let rows = playing.indices.filter {
        batch.faults[$0] == nil && !batch.terminated[$0] && !batch.truncated[$0]
      }
      playing = rows.map { playing[$0] }
    }
    // An episode that ended stands still.
    let size = space.byteCount
    for action in 0..<count {
      while frames[action].count < (Self.held + 1) * size { frames[action] += frames[action].suffix(size) }
    }
    return Sheet(rows: count, columns: Self.held + 1, pixels: Array(frames.joined()))
  }

  private mutating func gallery(from first: Int, _ count: Int) throws -> Sheet {
    let last = min(first + count, welcome.levels ?? Int.max)
    guard first < last else { return Sheet(rows: 0, columns: 1, pixels: []) }
    var pixels: [UInt8] = []
    var slots: [Slot] = []
    defer { for slot in slots { pool.close(slot) } }
    for _ in 0..<min(8, last - first) { slots.append(try pool.open(OpenOptions())) }
    for level in stride(from: first, to: last, by: slots.count) {
      let levels = level..<min(level + slots.count, last)
      try pool.reset(
        Array(slots.prefix(levels.count)), levels.map { ResetOptions(seed: 0, level: $0) }, into: &batch)
      if let fault = batch.faults.lazy.compactMap(\.self).first { throw fault }
      pixels += batch.observations.prefix(levels.count * space.byteCount)
    }
    return Sheet(rows: last - first, columns: 1, pixels: pixels)
  }
}
