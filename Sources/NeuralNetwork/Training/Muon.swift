import Autograd
import CKernels

/// Muon: momentum whose matrix is made orthogonal by five steps of a Newton-Schulz iteration (Jordan et al.,
/// 2024).
enum Muon {
  /// p = p (1 - rate decay) - rate sqrt(max(1, rows / columns)) orthogonal(momentum).
  static func update(
    _ value: Tensor, gradient: Tensor, momentum: Tensor, rate: Float, decay: Float, keep: Float, arena: Arena
  ) {
    let (rows, columns) = (value.shape[0], value.shape[1])
    let direction = arena.tensor(value.shape)
    for i in 0..<value.count {
      let g = gradient.pointer[i]
      momentum.pointer[i] += (1 - keep) * (g - momentum.pointer[i])
      direction.pointer[i] = g + keep * (momentum.pointer[i] - g)
    }
    let update = orthogonalized(direction, arena: arena)
    let scale = rate * max(1, Float(rows) / Float(columns)).squareRoot()
    let shrink = 1 - rate * decay
    for i in 0..<value.count { value.pointer[i] = value.pointer[i] * shrink - scale * update.pointer[i] }
  }

  /// A matrix with nearly the same singular vectors and singular values near 1.
  static func orthogonalized(_ matrix: Tensor, arena: Arena) -> Tensor {
    let wide = matrix.shape[0] <= matrix.shape[1]
    let (m, n) = wide ? (matrix.shape[0], matrix.shape[1]) : (matrix.shape[1], matrix.shape[0])
    var x = arena.tensor([m, n])
    let length = Float(ck_sum_squares(matrix.pointer, matrix.count).squareRoot()) + 1e-7
    for i in 0..<m {
      for j in 0..<n {
        x.pointer[i * n + j] = (wide ? matrix.pointer[i * n + j] : matrix.pointer[j * m + i]) / length
      }
    }
    let (gram, square) = (arena.tensor([m, m]), arena.tensor([m, m]))
    var next = arena.tensor([m, n])
    for _ in 0..<5 {
      gram.assignProduct(x, x, transposedB: true)
      square.copy(from: gram)
      square.assignProduct(gram, gram, alpha: 2.0315, beta: -4.7750)
      next.copy(from: x)
      next.assignProduct(square, x, beta: 3.4445)
      swap(&x, &next)
    }
    guard !wide else { return x }
    let result = arena.tensor(matrix.shape)
    for i in 0..<m {
      for j in 0..<n { result.pointer[j * m + i] = x.pointer[i * n + j] }
    }
    return result
  }
}
