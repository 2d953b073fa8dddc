import Foundation

extension World {
  /// The world that comes with the library: dreamt from video of `Platformer-v1`.
  public static func bundled() throws(WorldError) -> World { try World(try bundledFolder()) }

  /// Where the bundled world lies.
  public static func bundledFolder() throws(WorldError) -> URL {
    guard
      let folder = Bundle.module.url(
        forResource: "platformer", withExtension: "world", subdirectory: "Worlds")
    else { throw .noBundledWorld }
    return folder
  }
}
