import ArgumentParser

/// Experiments that others can run again: each is one command, goes on where it was interrupted, and ends in figures and a page.
struct ExperimentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract:
      "Runs an experiment from its start to its report: what is learned in dreams, judged in reality.",
    subcommands: [
      TransferCommand.self, ImitationCommand.self, CorrelationCommand.self, RewardsCommand.self,
      AuditCommand.self, FaultsCommand.self,
    ])
}
