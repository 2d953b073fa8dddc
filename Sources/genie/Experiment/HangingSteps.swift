import Environments
import GeneratedWorlds
import Reporting

/// What a dream makes of steps in the air, directly below something solid.
///
/// There the game tells a jump from none: who jumps hovers, who does not falls. A latent action stands for what is seen, and to hover to
/// the right looks like walking.
struct HangingSteps {
  /// With a jump; of these, the ones that ended where the game goes on, and those after which the hero was lower.
  private(set) var (jumps, ends, drops) = (0, 0, 0)
  /// Without; of these, the ones after which the hero was as high.
  private(set) var (falls, hovers) = (0, 0)

  private let judge = PlatformerJudge()

  mutating func add(_ step: DreamAudit.Step) {
    guard !step.outcome.terminated, judge.hangs(in: step.before) == true,
      let action = PlatformerAction(rawValue: step.action), let old = step.before.player
    else { return }
    if action.jumps {
      jumps += 1
      ends += step.terminated ? 1 : 0
      drops += step.after.player.map { $0.y > old.y } == true ? 1 : 0
    } else {
      falls += 1
      hovers += step.after.player?.y == old.y ? 1 : 0
    }
  }

  var row: String {
    "\(ends) and \(drops) of \(jumps) jumps, \(hovers) of \(falls) others"
  }

  var report: JSONValue {
    [
      "jumps": .integer(jumps), "jumps_that_end": .integer(ends), "jumps_that_fall": .integer(drops),
      "others": .integer(falls), "others_that_hover": .integer(hovers),
    ]
  }
}
