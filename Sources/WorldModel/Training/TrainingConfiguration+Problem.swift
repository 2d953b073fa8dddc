import NeuralNetwork

extension TrainingConfiguration {
  /// What no training can be made of, named as `--set` names it; nil if there is nothing.
  public var problem: String? {
    let stages: [(name: String, stage: StageConfiguration, leastTime: Int)] = [
      ("tokenizer", tokenizer, 1), ("latentActions", latentActions, 2), ("dynamics", dynamics, 2),
      ("rewards", rewards, 2), ("actionOdds", actionOdds, 2),
    ]
    for (name, stage, leastTime) in stages {
      if let problem = stage.problem(named: name, leastTime: leastTime) { return problem }
    }
    for (name, share) in shares where !(0...1).contains(share) {
      return "training.\(name) is \(share): it is a share of 0 to 1"
    }
    for (name, value) in amounts where !(0...1e6).contains(value) {
      return "training.\(name) is \(value): it is 0 to 1000000"
    }
    for (name, value, least) in [("shortTime", shortTime, 2), ("shortBatch", shortBatch, 1)]
    where !(least...65_536).contains(value) {
      return "training.\(name) is \(value): it is \(least) to 65536"
    }
    if let codePlacement, !(codePlacement > 0 && codePlacement < 1) {
      return "training.codePlacement is \(codePlacement): it is above 0 and below 1, or null for none"
    }
    guard heldOut < 1 else { return "training.heldOut is \(heldOut): then nothing is left to train on" }
    guard labelledEpisodes >= 0 else { return "training.labelledEpisodes is \(labelledEpisodes)" }
    return nil
  }

  private var shares: [(name: String, value: Double)] {
    [
      ("tokenizerShare", tokenizerShare), ("latentActionShare", latentActionShare),
      ("continuousShare", continuousShare),
      ("leastActionShare", leastActionShare), ("leastActionEffect", leastActionEffect),
      ("shortShare", shortShare), ("endShare", endShare),
      ("rareShare", rareShare), ("beginShare", beginShare), ("heldOut", heldOut),
    ]
      + [
        ("clean", masking.clean), ("full", masking.full), ("lowestRate", masking.lowestRate),
        ("corruption", masking.corruption), ("actionNoise", masking.actionNoise),
        ("unseenActions", masking.unseenActions), ("firstFrame", masking.firstFrame),
        ("ownFrames", masking.ownFrames), ("pilots", masking.pilots),
      ].map { ("masking." + $0, Double($1)) }
  }

  private var amounts: [(name: String, value: Float)] {
    [
      ("rarityEmphasis", rarityEmphasis), ("continuousNoise", continuousNoise),
      ("motionEmphasis", motionEmphasis),
    ]
  }
}

extension StageConfiguration {
  fileprivate func problem(named name: String, leastTime: Int) -> String? {
    let counts = [
      ("steps", steps, 0...1_000_000_000), ("batch", batch, 1...65_536), ("time", time, leastTime...65_536),
      ("optimizer.warmup", optimizer.warmup, 0...1_000_000_000),
    ]
    for (field, value, range) in counts where !range.contains(value) {
      return "training.\(name).\(field) is \(value): it is \(range.lowerBound) to \(range.upperBound)"
    }
    let rates = [
      ("rate", optimizer.rate), ("muonRate", optimizer.muonRate ?? 0),
      ("weightDecay", optimizer.weightDecay), ("beta1", optimizer.beta1), ("beta2", optimizer.beta2),
      ("muonMomentum", optimizer.muonMomentum), ("floor", optimizer.floor),
    ]
    for (field, value) in rates where !(0...1).contains(value) {
      return "training.\(name).optimizer.\(field) is \(value): it is 0 to 1"
    }
    for (field, value) in [("beta1", optimizer.beta1), ("beta2", optimizer.beta2)] where value == 1 {
      return "training.\(name).optimizer.\(field) is 1: then nothing is ever learned"
    }
    guard optimizer.clip > 0 else {
      return "training.\(name).optimizer.clip is \(optimizer.clip): it is above 0"
    }
    return nil
  }
}
