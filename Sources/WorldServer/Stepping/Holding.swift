import Environments
import WireProtocol

/// What a session holds at the environments: its slots by their numbers on the wire.
struct Holding {
  let environment: Int
  /// Names of the session's auxiliaries, in the order of their columns.
  var auxiliaries: [String] = []
  /// Open slots, by ascending number.
  private(set) var numbers: [Int32] = []
  private(set) var slots: [Slot] = []
  /// What each was opened with.
  private(set) var options: [OpenOptions] = []
  private(set) var next: Int32 = 0

  init(environment: Int) { self.environment = environment }

  /// Gives a slot the next number.
  mutating func add(_ slot: Slot, _ options: OpenOptions) -> Int32 {
    defer { next += 1 }
    add(slot, options, number: next)
    return next
  }

  /// Adds a slot of an earlier incarnation, whose number is known.
  mutating func add(_ slot: Slot, _ options: OpenOptions, number: Int32) {
    numbers.append(number)
    slots.append(slot)
    self.options.append(options)
  }

  /// Lets numbering go on where an earlier incarnation was.
  mutating func continueNumbers(at next: Int32) { self.next = next }

  /// What an open slot was opened with.
  func options(of slot: Slot) -> OpenOptions {
    slots.firstIndex(of: slot).map { options[$0] } ?? OpenOptions()
  }

  /// Whether so many more numbers can be given.
  func hasNumbers(for count: Int) -> Bool { Int(next) + count < Int(Int32.max) }

  mutating func remove(_ number: Int32) -> Slot? {
    guard let index = index(of: number) else { return nil }
    numbers.remove(at: index)
    options.remove(at: index)
    return slots.remove(at: index)
  }

  /// The slots that a request names; all, in ascending order, where it names none.
  /// - Parameter repeating: whether a number may come more than once.
  /// - Throws: ``EnvironmentError/unknownSlot(_:)`` and ``EnvironmentError/repeatedSlot(_:)``.
  func resolve(_ requested: [Int32], repeating: Bool = false) throws(EnvironmentError) -> [Slot] {
    if requested.isEmpty { return slots }
    var found: [Slot] = []
    var seen: Set<Int32> = []
    for number in requested {
      guard let index = index(of: number) else { throw .unknownSlot(Slot(index: number, generation: 0)) }
      guard repeating || requested.count == 1 || seen.insert(number).inserted else {
        throw .repeatedSlot(Slot(index: number, generation: 0))
      }
      found.append(slots[index])
    }
    return found
  }

  private func index(of number: Int32) -> Int? {
    var range = 0..<numbers.count
    while !range.isEmpty {
      let middle = (range.lowerBound + range.upperBound) / 2
      if numbers[middle] == number { return middle }
      range = numbers[middle] < number ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return nil
  }
}
