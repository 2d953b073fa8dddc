import ArgumentParser
import GeneratedWorlds
import WorldModel

/// How frames are drawn, where a command may do it otherwise than the world's file says.
struct SamplingOptions: ParsableArguments {
  @Option(help: "Temperature of the drawn tokens; the world's own if none is given.")
  var temperature: Float?

  @Option(
    help:
      "Tokens less likely than this share of the likeliest are not drawn; the world's own if none is given.")
  var leastShare: Float?

  @Option(help: "MaskGIT steps that fix the least certain tokens first; the world's own if none is given.")
  var pilots: Int?

  @Option(
    help:
      "Actions with lower odds do what the most similar possible one does; the world's own if none is given.")
  var leastOdds: Float?

  @Flag(
    help:
      "Dreams begin where episodes of the video begin: their age is told to dynamics that were trained with ages."
  )
  var tellAge = false

  func validate() throws {
    guard temperature.map({ (0...100).contains($0) }) ?? true, pilots.map({ (0...256).contains($0) }) ?? true
    else { throw ValidationError("--temperature is 0 to 100, --pilots 0 to 256.") }
    guard [leastShare, leastOdds].allSatisfy({ $0.map { (0...1).contains($0) } ?? true }) else {
      throw ValidationError("--least-share and --least-odds are 0 to 1.")
    }
  }

  /// Whether all is left as the world's file says.
  var isEmpty: Bool {
    temperature == nil && leastShare == nil && pilots == nil && leastOdds == nil && !tellAge
  }

  /// The world as it is drawn then.
  func applied(to world: World) -> World {
    world.sampled(
      world.manifest.sampling.with(
        temperature: temperature, leastShare: leastShare, pilots: pilots, leastOdds: leastOdds,
        tellsAge: tellAge ? true : nil))
  }
}
