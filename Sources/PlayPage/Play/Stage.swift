import Environments
import Foundation

/// The playhouse on a thread of its own: a pool is synchronous, and a step must not hold up Swift's
/// cooperative threads.
actor Stage {
  private let executor = ThreadExecutor(name: "genie play")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private var house: Playhouse?

  /// Makes the pool where it will be stepped.
  func prepare(_ play: PlayConfiguration) throws(EnvironmentError) {
    house = try Playhouse(
      try play.makePool(), actionNames: play.actionNames, dreamsLevels: play.dreamsLevels,
      players: play.players)
  }

  func enter() throws(PlayError) -> Int {
    guard var house else { throw .environment(.unsupported("a page before its worlds")) }
    defer { self.house = house }
    return try house.enter()
  }

  func leave(_ visit: Int) { house?.leave(visit) }

  func answer(_ question: Question, of visit: Int) -> Reply {
    guard let space = house?.space, let limit = house?.welcome.promptLimit else { return .done }
    do throws(PlayError) {
      let request =
        switch question {
        case .text(let text): try Request(text: text)
        case .binary(let bytes): try Request(binary: bytes, space: space, promptLimit: limit)
        }
      return house?.answer(request, of: visit) ?? .done
    } catch { return .refused(error) }
  }
}

/// A message of a page, as it came.
enum Question: Sendable {
  case text(String)
  case binary(Data)
}
