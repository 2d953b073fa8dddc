import Environments
import WireProtocol

/// Environments spread over several servers that offer the same, as one pool.
///
/// Every slot is at one of the servers, a new one where there are fewest; a step goes to all servers at once. Where a
/// server dies, or has lost its session, the episodes there are lost: their rows of that step have the fault
/// ``Environments/EnvironmentError/sessionLost(reason:)``, and their slots are opened again at the other servers, where they
/// wait for a reset. Everything else goes on. A server that is gone is left alone until ``rejoin()``, or until no other is
/// left.
///
/// ```swift
/// let fleet = try RemoteFleet(["tcp://a:5555", "tcp://b:5555"], environment: "World-v1")
/// var environments = try VectorEnvironment(LostEpisodes(fleet), count: 64)
/// ```
public final class RemoteFleet: EnvironmentPool {
  /// That of each server, but for the slots, of which there are as many as all have together.
  public let specification: EnvironmentSpecification
  private let offered: EnvironmentSpecification
  private let retry: RetryPolicy
  private let keys: ClientKeys?
  private var servers: [Server]
  private var worlds: SlotTable<World>

  private struct Server {
    let endpoint: String
    /// nil while it is gone.
    var pool: RemotePool?
    var worlds = 0
    var batch: StepBatch
  }

  private struct World {
    let options: OpenOptions
    /// Where it is; nil while no server has room for it.
    var place: (server: Int, slot: Slot)?
    var seeds = SeedSequence()
    /// Opened again, and not reset since: its server would begin with the seeds of every new slot.
    var isMoved = false
  }

  /// Connects to all of them.
  /// - Parameters:
  ///   - endpoints: at least one; of those that do not answer nothing is expected, as long as one does.
  ///   - environment: its name; nil where the servers have only one.
  /// - Throws: what ``RemotePool`` throws where no server answers; `refused` where they do not offer the same.
  public init(
    _ endpoints: [String], environment: String? = nil, retry: RetryPolicy = RetryPolicy(),
    keys: ClientKeys? = nil
  ) throws(EnvironmentError) {
    precondition(!endpoints.isEmpty, "a fleet of no servers")
    var pools: [RemotePool?] = []
    var failure: EnvironmentError?
    for endpoint in endpoints {
      do throws(EnvironmentError) {
        pools.append(try RemotePool(endpoint, environment: environment, retry: retry, keys: keys))
      } catch {
        guard case .disconnected = error else { throw error }
        failure = error
        pools.append(nil)
      }
    }
    guard let first = pools.compactMap({ $0 }).first else { throw failure! }
    offered = first.specification
    var specification = offered
    specification.slotLimit = min(Int(Int32.max), offered.slotLimit * endpoints.count)
    self.specification = specification
    self.retry = retry
    self.keys = keys
    let batch = first.makeBatch()
    servers = zip(endpoints, pools).map { Server(endpoint: $0, pool: $1, batch: batch) }
    worlds = SlotTable(limit: specification.slotLimit)
    for server in servers {
      if let pool = server.pool { try Self.check(pool, like: offered, at: server.endpoint) }
    }
  }

  private static func check(
    _ pool: RemotePool, like specification: EnvironmentSpecification, at endpoint: String
  ) throws(EnvironmentError) {
    guard pool.specification == specification else {
      throw .refused(reason: "\(endpoint) offers another \(pool.specification.name) than the others")
    }
  }

  /// Where the servers are that answer, and how many slots each has.
  public var load: [(endpoint: String, slots: Int)] {
    servers.filter { $0.pool != nil }.map { ($0.endpoint, $0.worlds) }
  }

  /// Tries the servers again that were gone. Slots that are open stay where they are; new ones are opened where there are
  /// fewest.
  public func rejoin() {
    for index in servers.indices where servers[index].pool == nil { connect(index) }
  }

  @discardableResult
  private func connect(_ index: Int) -> EnvironmentError? {
    let endpoint = servers[index].endpoint
    do throws(EnvironmentError) {
      let pool = try RemotePool(endpoint, environment: offered.name, retry: retry, keys: keys)
      try Self.check(pool, like: offered, at: endpoint)
      servers[index].pool = pool
      return nil
    } catch { return error }
  }

  // MARK: - The contract

  public func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    try specification.check(options)
    let slot = try worlds.open(World(options: options))
    do throws(EnvironmentError) { try place([slot]) } catch {
      worlds.close(slot)
      throw error
    }
    return slot
  }

  public func close(_ slot: Slot) {
    guard let world = worlds.close(slot), let place = world.place else { return }
    servers[place.server].worlds -= 1
    servers[place.server].pool?.close(place.slot)
  }

  public func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try worlds.check(slots, count: options.count, of: "reset options")
    batch.prepare(count: slots.count, for: observationSpace)
    // Of a reset that fails the seed stays to be taken, as it does at the server.
    var after = slots.map { worlds[$0].seeds }
    let seeds = slots.indices.map { after[$0].take(options[$0].seed) }
    // No episode is lost by a server that dies now: it starts elsewhere.
    var rows = Array(slots.indices)
    var (rounds, failure): (Int, EnvironmentError?) = (0, nil)
    while !rows.isEmpty {
      try place(rows.map { slots[$0] }.filter { worlds[$0].place == nil })
      let shares = rowsByServer(rows, of: slots)
      // Before any is asked: what is too much for one message is no server's fault, and costs none its episodes.
      for (index, rows) in shares {
        let bytes = rows.reduce(0) { $0 + (options[$1].prompt?.pixels.count ?? 0) }
        try servers[index].pool?.requireRoom(for: bytes)
      }
      for (index, rows) in shares {
        let own = rows.map { row in
          var own = options[row]
          if worlds[slots[row]].isMoved { own.seed = seeds[row] }
          return own
        }
        let error = attempt(index) { pool, batch throws(EnvironmentError) in
          try pool.reset(rows.map { worlds[slots[$0]].place!.slot }, own, into: &batch)
        }
        failure = error ?? failure
        if error == nil { for row in rows { worlds[slots[row]].isMoved = false } }
        copy(rows, from: index, into: &batch)
        if error == nil {
          for row in rows where batch.faults[row] == nil { worlds[slots[row]].seeds = after[row] }
        }
      }
      let left = rows.filter { worlds[slots[$0]].place == nil }
      // What fails wherever it is asked is not the servers' fault.
      rounds = left.count < rows.count ? 0 : rounds + 1
      if rounds > servers.count, let failure { throw failure }
      rows = left
    }
  }

  public func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try worlds.check(slots, count: actions.count, of: "actions")
    batch.prepare(count: slots.count, for: observationSpace)
    let shares = rowsByServer(Array(slots.indices), of: slots)
    // All servers step at the same time.
    for (index, rows) in shares {
      attempt(index) { pool, _ throws(EnvironmentError) in
        try pool.send(rows.map { worlds[slots[$0]].place!.slot }, rows.map { actions[$0] })
      }
    }
    for (index, rows) in shares {
      attempt(index) { pool, batch throws(EnvironmentError) in try pool.receive(into: &batch) }
      copy(rows, from: index, into: &batch)
    }
    let lost = slots.indices.filter { worlds[slots[$0]].place == nil }
    guard !lost.isEmpty else { return }
    for row in lost {
      batch.faults[row] = .sessionLost(
        reason: "its server is gone; the slot is open at another, and waits for a reset")
    }
    // Where nobody has room now, a reset asks again.
    try? place(lost.map { slots[$0] })
  }

  // MARK: - Servers

  /// Rows of a call by the server that their worlds are at.
  private func rowsByServer(_ rows: [Int], of slots: [Slot]) -> [(server: Int, rows: [Int])] {
    var shares = [[Int]](repeating: [], count: servers.count)
    for row in rows {
      if let place = worlds[slots[row]].place { shares[place.server].append(row) }
    }
    return shares.enumerated().filter { !$0.element.isEmpty }.map { ($0.offset, $0.element) }
  }

  /// Rows of one server's answer; none where it is gone.
  private func copy(_ rows: [Int], from index: Int, into batch: inout StepBatch) {
    guard servers[index].pool != nil, servers[index].batch.count == rows.count else { return }
    for (source, row) in rows.enumerated() { batch.setRow(row, from: servers[index].batch, row: source) }
  }

  /// Calls a server that is there. Where that fails, its worlds are lost: whatever the reason, its slots are of no use.
  /// - Returns: why it failed.
  @discardableResult
  private func attempt(
    _ index: Int, _ call: (RemotePool, inout StepBatch) throws(EnvironmentError) -> Void
  ) -> EnvironmentError? {
    guard let pool = servers[index].pool else { return nil }
    do throws(EnvironmentError) {
      try call(pool, &servers[index].batch)
      return nil
    } catch {
      servers[index].pool = nil
      servers[index].worlds = 0
      for slot in worlds.open where worlds[slot].place?.server == index {
        worlds[slot].place = nil
        worlds[slot].isMoved = true
      }
      // A server that answers has only lost the session, and can have a new one.
      if case .sessionLost = error { connect(index) }
      return error
    }
  }

  /// Opens worlds that are nowhere, each where there are fewest.
  /// - Throws: what the last server said, where none took them.
  private func place(_ slots: [Slot]) throws(EnvironmentError) {
    for slot in slots {
      var refusals = Set<Int>()
      var reason: EnvironmentError?
      while worlds[slot].place == nil {
        let candidates = servers.indices.filter { servers[$0].pool != nil && !refusals.contains($0) }
        guard let index = candidates.min(by: { servers[$0].worlds < servers[$1].worlds }) else {
          let gone = servers.indices.filter { servers[$0].pool == nil && !refusals.contains($0) }
          for index in gone {
            reason = connect(index) ?? reason
            if servers[index].pool == nil { refusals.insert(index) }
          }
          if gone.allSatisfy({ servers[$0].pool == nil }) {
            throw reason ?? .disconnected(endpoint: servers[0].endpoint, reason: "no server is left")
          }
          continue
        }
        do throws(EnvironmentError) {
          worlds[slot].place = (index, try servers[index].pool!.open(worlds[slot].options))
          servers[index].worlds += 1
        } catch {
          reason = error
          refusals.insert(index)
          switch error {
          case .disconnected, .sessionLost: attempt(index) { _, _ throws(EnvironmentError) in throw error }
          default: break
          }
        }
      }
    }
  }
}
