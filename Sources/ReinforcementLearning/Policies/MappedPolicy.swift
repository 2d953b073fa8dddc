import Autograd
import Environments

/// A policy of a dream, acting in the real game: what it chooses is a latent action, what it does the real one.
public struct MappedPolicy<Latent: Policy>: Policy {
  public let latent: Latent
  public let map: ActionMap

  public init(_ latent: Latent, map: ActionMap) {
    self.latent = latent
    self.map = map
  }

  public var frames: Int { latent.frames }

  public func actions(for observations: [UInt8], keys: [RandomKey]) -> [Int32] {
    latent.actions(for: observations, keys: keys).map { map($0) }
  }

  /// The latent policy must fit the environment as the dream sees it: the same frames, the map's latent actions.
  public func check(_ specification: EnvironmentSpecification) throws(PolicyError) {
    let space = specification.actionSpace
    if let foreign = map.real.first(where: { !space.contains($0) }) {
      throw .actionMismatch(policy: Int(foreign) + 1, environment: space.count)
    }
    guard !map.real.isEmpty else { throw .actionMismatch(policy: 0, environment: space.count) }
    var dream = specification
    dream.actionSpace = Discrete(map.real.count)
    try latent.check(dream)
  }
}
