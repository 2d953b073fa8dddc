import Autograd
import Foundation
import NeuralNetwork

/// Which latent actions video does not show at each of its frames, as ``ActionOdds`` finds.
///
/// Latent actions stand for effects, so where an effect is impossible (to go right, at a wall) the action is never inferred, and a
/// dynamics model would never learn what comes of it. Such an action is to do what the action does that stands in for it.
struct UnseenActions: Sendable {
  private let store: TokenStore
  /// Of all frames of the store, how often each action follows, over how often it does in the whole video:
  /// `[frames, actions]`.
  private let odds: [Float]
  private let actions: Int
  /// As ``ActionOdds`` has them: `[actions, actions]`.
  private let similarities: [Float]

  /// - Parameters:
  ///   - odds: `[frames of the store, actions]`: how often each action follows, over how often it does anywhere.
  ///   - similarities: as ``ActionOdds`` has them, `[actions, actions]`.
  init(_ store: TokenStore, odds: [Float], similarities: Tensor) {
    self.store = store
    self.odds = odds
    actions = similarities.shape[0]
    self.similarities = similarities.values
  }

  /// The actions that are not seen to follow a frame, and that the one which did stands in for, rather than any other that is
  /// surely seen there.
  func inPlace(of action: Int32, after frame: Int, of shard: Int) -> [Int32] {
    let first = store.place(shard, frame) * actions
    let seen = (0..<actions).filter { odds[first + $0] >= ActionOdds.surelySeen || $0 == Int(action) }
    return (0..<actions).filter { other in
      odds[first + other] < ActionOdds.leastSeen && other != Int(action)
        && seen.allSatisfy {
          similarities[other * actions + $0] <= similarities[other * actions + Int(action)]
        }
    }.map(Int32.init)
  }
}
