import Environments

extension EnvironmentSpecification {
  /// The same, where its numbers can be worked with: what comes from a socket is used in arithmetic only after
  /// this.
  /// - Throws: ``Environments/EnvironmentError/refused(reason:)``
  package func validated() throws(EnvironmentError) -> EnvironmentSpecification {
    let dimensions = [observationSpace.height, observationSpace.width, observationSpace.channels]
    guard dimensions.allSatisfy({ (1...16_384).contains($0) }) else {
      throw .refused(reason: "the server describes an environment of shape \(dimensions)")
    }
    guard observationSpace.byteCount <= Limits().replyBytes else {
      throw .refused(
        reason:
          "the server describes observations of \(observationSpace.byteCount) bytes, more than fit in a reply"
      )
    }
    guard (1...Int(Int32.max)).contains(actionSpace.count) else {
      throw .refused(reason: "the server describes an environment of \(actionSpace.count) actions")
    }
    guard (1...Int(Int32.max)).contains(slotLimit), (0.01...1000).contains(frameRate) else {
      throw .refused(
        reason: "the server describes an environment of \(slotLimit) slots and \(frameRate) frames a second")
    }
    return self
  }
}
