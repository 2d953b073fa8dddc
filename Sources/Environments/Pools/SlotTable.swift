/// The open slots of a pool, each with its state, and the checks that every call of a pool begins with.
///
/// An index is used again after a close, its generation never, so that a slot kept too long is found out.
public struct SlotTable<State> {
  @usableFromInline
  struct Place {
    @usableFromInline var generation: UInt32
    @usableFromInline var state: State?
    /// The call that named this place last: tells a repeated slot without a set.
    @usableFromInline var lastCall: UInt64

    @inlinable
    init(generation: UInt32, state: State?, lastCall: UInt64) {
      self.generation = generation
      self.state = state
      self.lastCall = lastCall
    }
  }

  @usableFromInline var places: [Place] = []
  @usableFromInline var free: [Int32] = []
  @usableFromInline var calls: UInt64 = 0

  /// Slots that may be open at once.
  public let limit: Int

  @inlinable
  public init(limit: Int) {
    precondition(limit > 0 && limit <= Int(Int32.max), "a table of \(limit) slots")
    self.limit = limit
  }

  /// Slots that are open.
  @inlinable
  public var count: Int { places.count - free.count }

  @inlinable
  public func contains(_ slot: Slot) -> Bool {
    let index = Int(slot.index)
    return places.indices.contains(index) && places[index].generation == slot.generation
      && places[index].state != nil
  }

  /// - Throws: ``EnvironmentError/tooManySlots(limit:)``
  @inlinable
  public mutating func open(_ state: State) throws(EnvironmentError) -> Slot {
    guard count < limit else { throw .tooManySlots(limit: limit) }
    if let index = free.popLast() {
      places[Int(index)].state = state
      return Slot(index: index, generation: places[Int(index)].generation)
    }
    places.append(Place(generation: 1, state: state, lastCall: 0))
    return Slot(index: Int32(places.count - 1), generation: 1)
  }

  /// Closes a slot and gives its state back; nil, and nothing happens, if it is not open.
  @inlinable
  @discardableResult
  public mutating func close(_ slot: Slot) -> State? {
    guard contains(slot) else { return nil }
    let index = Int(slot.index)
    let state = places[index].state
    places[index].state = nil
    places[index].generation &+= 1
    free.append(slot.index)
    return state
  }

  /// The slots that are open.
  public var open: [Slot] {
    places.enumerated().compactMap { index, place in
      place.state == nil ? nil : Slot(index: Int32(index), generation: place.generation)
    }
  }

  /// - Throws: ``EnvironmentError/unknownSlot(_:)``
  @inlinable
  public func check(_ slot: Slot) throws(EnvironmentError) {
    guard contains(slot) else { throw .unknownSlot(slot) }
  }

  /// Checks a call on several slots before anything of it is done.
  /// - Parameters:
  ///   - slots: the slots of the call.
  ///   - count: how many values came along, one for each slot.
  ///   - what: what those values are, for the error.
  /// - Throws: ``EnvironmentError/countMismatch(what:expected:found:)``, ``EnvironmentError/unknownSlot(_:)``
  ///   or ``EnvironmentError/repeatedSlot(_:)``.
  @inlinable
  public mutating func check(_ slots: [Slot], count: Int, of what: String) throws(EnvironmentError) {
    guard slots.count == count else {
      throw .countMismatch(what: what, expected: slots.count, found: count)
    }
    calls += 1
    for slot in slots {
      try check(slot)
      guard places[Int(slot.index)].lastCall != calls else { throw .repeatedSlot(slot) }
      places[Int(slot.index)].lastCall = calls
    }
  }

  /// The state of an open slot.
  @inlinable
  public subscript(slot: Slot) -> State {
    get {
      precondition(contains(slot), "slot \(slot) is not open")
      return places[Int(slot.index)].state!
    }
    _modify {
      precondition(contains(slot), "slot \(slot) is not open")
      yield &places[Int(slot.index)].state!
    }
  }
}

extension SlotTable.Place: Sendable where State: Sendable {}
extension SlotTable: Sendable where State: Sendable {}
