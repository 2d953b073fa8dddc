"""Writes rliable.json: what rliable 1.2 says about a few scores, for RliableTests.

pip install rliable==1.2.0, then: python Tests/Fixtures/statistics/rliable_golden.py
"""

import json
import pathlib

import arch.bootstrap
import numpy as np
from rliable import library, metrics

# rliable 1.2 hands a keyword to arch that its newer versions do not know.
plain = arch.bootstrap.IIDBootstrap.__init__
arch.bootstrap.IIDBootstrap.__init__ = lambda self, *args, random_state=None, **names: plain(self, *args, **names)

random = np.random.RandomState(7)
RUNS, TASKS, RESAMPLES = 5, 7, 40
mine = np.round(random.gamma(2.0, 0.4, (RUNS, TASKS)), 3)
theirs = np.round(random.gamma(2.0, 0.3, (4, TASKS)), 1)  # rounded: equal scores occur
mine[0, 0] = theirs[0, 0]
taus = np.linspace(0, 2, 9)

STATISTICS = {
    "mean": metrics.aggregate_mean,
    "median": metrics.aggregate_median,
    "interquartile_mean": metrics.aggregate_iqm,
    "optimality_gap": metrics.aggregate_optimality_gap,
}


def profile(scores):
  return library.score_distributions(scores, taus)


class Recorded(library.StratifiedBootstrap):
  """The bootstrap of rliable, with the indices of every resample kept: [resample][task][run]."""

  def update_indices(self):
    indices = super().update_indices()
    recorded.append(indices[0].T.tolist())
    return indices


recorded = []
np.random.seed(3)
statistics = lambda scores: np.array([f(scores) for f in STATISTICS.values()] + list(profile(scores)))
bootstrap = Recorded(mine)
draws = bootstrap.apply(statistics, RESAMPLES)
indices = recorded[:RESAMPLES]
low, high = np.percentile(draws, [2.5, 97.5], axis=0)

# The same interval from arch itself, on the same resamples.
recorded.clear()
np.random.seed(3)
interval = Recorded(mine).conf_int(statistics, RESAMPLES, method="percentile", size=0.95)
assert recorded[-RESAMPLES:] == indices or np.allclose(interval, [low, high]), "another order of resamples"
np.testing.assert_allclose(interval, [low, high], atol=1e-12)

golden = {
    "mine": mine.T.tolist(),
    "theirs": theirs.T.tolist(),
    "taus": taus.tolist(),
    "statistics": {name: float(f(mine)) for name, f in STATISTICS.items()},
    "profile": profile(mine).tolist(),
    "improvement": float(metrics.probability_of_improvement(mine, theirs)),
    "indices": indices,
    "draws": draws.tolist(),
    "low": low.tolist(),
    "high": high.tolist(),
}
path = pathlib.Path(__file__).with_name("rliable.json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, "bytes")
