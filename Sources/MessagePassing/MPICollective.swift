#if MPI
  import Autograd
  import CMPI

  /// Ranks over MPI. MPI itself ends all processes where one of them is gone, and says which.
  final class MPICollective: Collective {
    let rank: Int
    let count: Int
    /// MPI counts with 32 bits: values that one call carries.
    private let largestCount: Int

    init(largestCount: Int = Int(Int32.max)) throws(MessagePassingError) {
      var (isJoined, provided): (Int32, Int32) = (0, 0)
      MPI_Initialized(&isJoined)
      if isJoined == 0 {
        guard MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &provided) == MPI_SUCCESS else {
          throw .failed(reason: "it does not start")
        }
        guard provided >= Int32(MPI_THREAD_FUNNELED) else {
          throw .failed(reason: "this MPI was built for processes without threads")
        }
      }
      var (rank, count): (Int32, Int32) = (0, 1)
      MPI_Comm_rank(genie_mpi_world(), &rank)
      MPI_Comm_size(genie_mpi_world(), &count)
      self.rank = Int(rank)
      self.count = Int(count)
      self.largestCount = largestCount
    }

    func reduceScatter(_ values: UnsafeMutablePointer<Float>, pieces: [Int]) {
      let starts = Self.starts(pieces)
      guard starts.last! > largestCount else {
        let counts = pieces.map(Int32.init)
        let inPlace = genie_mpi_in_place()
        MPI_Reduce_scatter(inPlace, values, counts, genie_mpi_float(), genie_mpi_sum(), genie_mpi_world())
        // In place, MPI leaves the own piece at the beginning.
        (values + starts[rank]).update(from: values, count: pieces[rank])
        return
      }
      for root in 0..<count {
        for range in Self.spans(starts[root]..<starts[root + 1], of: largestCount) {
          let place = values + range.lowerBound
          let source = root == rank ? genie_mpi_in_place() : UnsafeRawPointer(place)
          MPI_Reduce(
            source, place, Int32(range.count), genie_mpi_float(), genie_mpi_sum(), Int32(root),
            genie_mpi_world())
        }
      }
    }

    func gather(_ bytes: UnsafeMutableRawPointer, pieces: [Int]) {
      let starts = Self.starts(pieces)
      guard starts.last! > largestCount else {
        MPI_Allgatherv(
          genie_mpi_in_place(), 0, genie_mpi_byte(), bytes, pieces.map(Int32.init),
          starts.dropLast().map(Int32.init), genie_mpi_byte(), genie_mpi_world())
        return
      }
      for root in 0..<count {
        for range in Self.spans(starts[root]..<starts[root + 1], of: largestCount) {
          MPI_Bcast(
            bytes + range.lowerBound, Int32(range.count), genie_mpi_byte(), Int32(root), genie_mpi_world())
        }
      }
    }

    private static func starts(_ pieces: [Int]) -> [Int] {
      pieces.reduce(into: [0]) { $0.append($0.last! + $1) }
    }

    private static func spans(_ range: Range<Int>, of length: Int) -> [Range<Int>] {
      stride(from: range.lowerBound, to: range.upperBound, by: length).map {
        $0..<min(range.upperBound, $0 + length)
      }
    }
  }
#endif
