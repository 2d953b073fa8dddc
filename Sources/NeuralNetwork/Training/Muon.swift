import Autograd
import CKernels

/// Muon: momentum whose matrix is made orthogonal by five steps of a Newton-Schulz iteration (Jordan et al.,
/// 2024).
enum Muon {
  /// p = p (1 - rate decay) - rate sqrt(max(1, rows / columns)) orthogonal(momentum). Rows are inputs here, where those of the
  /// source are outputs: what narrows learns faster, and not what widens. All rates were found with it.
  static func update(
    _ value: Tensor, gradient: Tensor, momentum: Tensor, rate: Float, decay: Float, keep: Float, arena: Arena,
    precision: Precision = .float32
  ) {
    let (rows, columns) = (value.shape[0], value.shape[1])
    let direction = arena.tensor(value.shape)
    let (g, m, d) = (gradient.pointer, momentum.pointer, direction.pointer)
    for i in 0..<value.count {
      m[i] += (1 - keep) * (g[i] - m[i])
      d[i] = g[i] + keep * (m[i] - g[i])
    }
    let update = orthogonalized(direction, arena: arena, precision: precision)
    let scale = rate * max(1, Float(rows) / Float(columns)).squareRoot()
    let shrink = 1 - rate * decay
    ck_scale(value.pointer, shrink, value.count)
    ck_add_scaled(update.pointer, -scale, value.pointer, value.count)
  }

  /// A matrix with nearly the same singular vectors and singular values near 1.
  static func orthogonalized(
    _ matrix: Tensor, arena: Arena, precision: Precision = .float32
  ) -> Tensor {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    // The iteration acts on the smaller side: from the left on a wide matrix, from the right on a tall one.
    let wide = rows <= columns
    let side = min(rows, columns)
    var x = arena.tensor(matrix.shape)
    x.copy(from: matrix)
    let length = Float(ck_sum_squares(matrix.pointer, matrix.count).squareRoot()) + 1e-7
    ck_scale(x.pointer, 1 / length, x.count)
    let (gram, square) = (arena.tensor([side, side]), arena.tensor([side, side]))
    var next = arena.tensor(matrix.shape)
    for _ in 0..<5 {
      gram.assignProduct(x, transposedA: !wide, x, transposedB: wide, precision: precision)
      square.copy(from: gram)
      square.assignProduct(gram, gram, alpha: 2.0315, beta: -4.7750, precision: precision)
      next.copy(from: x)
      if wide {
        next.assignProduct(square, x, beta: 3.4445, precision: precision)
      } else {
        next.assignProduct(x, square, beta: 3.4445, precision: precision)
      }
      swap(&x, &next)
    }
    return x
  }
}
