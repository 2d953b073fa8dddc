/// Values laid over a frame, one for each cell of a grid: the tokens of a dreamt frame, say.
public struct FrameChart: Sendable, Hashable {
  public var rows: Int
  public var columns: Int
  /// `[rows, columns]`, row by row from the top.
  public var values: [Float]

  /// - Precondition: there are `rows * columns` values.
  public init(rows: Int, columns: Int, values: [Float]) {
    precondition(values.count == rows * columns, "\(values.count) values for \(rows) x \(columns) cells")
    self.rows = rows
    self.columns = columns
    self.values = values
  }
}

/// A pool that can show what is behind a slot's last frame.
public protocol Charting: EnvironmentPool {
  /// Names of the charts, such as `tokens`.
  var charts: [String] { get }

  /// A chart of the last frame that a slot gave.
  /// - Throws: ``EnvironmentError/unknownSlot(_:)``;
  ///   ``EnvironmentError/unsupported(_:)`` for a name that is not offered.
  func chart(_ name: String, of slot: Slot) throws(EnvironmentError) -> FrameChart
}
