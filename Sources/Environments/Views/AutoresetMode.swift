/// When a ``VectorEnvironment`` starts the next episode of a slot whose episode has ended.
public enum AutoresetMode: String, Codable, Sendable, CaseIterable {
  /// The step after the end resets the slot: its action is ignored, its reward is 0, its observation the first of
  /// the new episode. That row is no transition to learn from.
  case nextStep
  /// The step that ends the episode also resets the slot: reward and flags are those of the end, the observation
  /// is the first of the new episode, and the last one is in ``StepBatch/finalObservations``.
  case sameStep
  /// Never: the caller resets the rows that have ended.
  case disabled
}
