/// Environments by name, each with the factory of its pool: what a server offers and a command line chooses from.
public struct EnvironmentCatalogue: Sendable {
  /// Makes a pool of its own for whoever calls it.
  public typealias Factory = @Sendable () throws(EnvironmentError) -> any EnvironmentPool

  private var factories: [String: Factory] = [:]

  /// An empty catalogue.
  public init() {}

  /// The games that come with this library.
  public static var builtIn: EnvironmentCatalogue {
    var catalogue = EnvironmentCatalogue()
    catalogue.register("Platformer-v1") { GamePool(Platformer()) }
    catalogue.register("Noop-v1") { GamePool(Noop()) }
    return catalogue
  }

  /// What can read the frames of a built-in game; nil for others, and for frames that are not of the game's size.
  public static func judge(of name: String, height: Int, width: Int) -> (any GameJudge)? {
    let side = PlatformerJudge.frameSize
    return name == "Platformer-v1" && height == side && width == side ? PlatformerJudge() : nil
  }

  /// The names, in alphabetical order.
  public var names: [String] { factories.keys.sorted() }

  /// Offers an environment; one of the same name is replaced.
  public mutating func register(_ name: String, _ factory: @escaping Factory) {
    factories[name] = factory
  }

  /// - Throws: ``EnvironmentError/unknownEnvironment(_:offered:)``, or what the factory throws.
  public func makePool(_ name: String) throws(EnvironmentError) -> any EnvironmentPool {
    guard let factory = factories[name] else { throw .unknownEnvironment(name, offered: names) }
    return try factory()
  }
}
