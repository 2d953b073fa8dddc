import Environments
import Video

extension World {
  /// What can read the frames of the game that the world dreams of; nil where nobody can.
  public var judge: (any GameJudge)? {
    let size = genie.configuration.tokenizer
    return manifest.training.flatMap {
      EnvironmentCatalogue.judge(of: $0.source, height: size.height, width: size.width)
    }
  }
}

extension ClipFolder {
  /// What can read the frames of the game that the video says it is of; nil where nobody can.
  public var judge: (any GameJudge)? {
    shards[0].metadata["source"].flatMap { EnvironmentCatalogue.judge(of: $0, height: height, width: width) }
  }
}
