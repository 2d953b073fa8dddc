"""Serves a Procgen game to agents in any language.

    python3.10 -m venv procgen && procgen/bin/pip install -e Agents/Python procgen "numpy<2"
    procgen/bin/python Agents/Python/examples/serve_procgen.py coinrun --endpoint tcp://127.0.0.1:5556
    .build/release/PPOAgent --endpoint tcp://127.0.0.1:5556 --out runs/coinrun

Procgen has wheels for Python up to 3.10. A reset with a level, or else a seed, plays the level of that number; one without draws
a level from those above a thousand million, which are for training.
"""

from __future__ import annotations

import argparse

import gymnasium
import numpy as np
from procgen import ProcgenGym3Env

from genie_environments import Server

NAMES = ["left-down", "left", "left-up", "down", "noop", "up", "right-down", "right", "right-up"]
FIRST_TRAINING_LEVEL, TRAINING_LEVELS = 1_000_000_000, 1_000_000_000


class Procgen(gymnasium.Env):
    """One game; the presses that do nothing in any of them are left out."""

    observation_space = gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(len(NAMES))

    def __init__(self, game: str, mode: str):
        self._options = {"env_name": game, "distribution_mode": mode, "num": 1, "num_threads": 0, "num_levels": 1}
        self._game = None

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        level = (options or {}).get("level", seed)
        if level is None:
            level = FIRST_TRAINING_LEVEL + int(self.np_random.integers(TRAINING_LEVELS))
        self.close()
        self._game = ProcgenGym3Env(start_level=level % 2**31, rand_seed=level % 2**31, **self._options)
        self._seen = self._game.observe()[1]["rgb"][0]
        return self._seen, {}

    def step(self, action):
        self._game.act(np.array([action], np.int32))
        reward, observation, first = self._game.observe()
        # What comes after the end is the level's first frame again.
        if not first[0]:
            self._seen = observation["rgb"][0]
        return self._seen, float(reward[0]), bool(first[0]), False, {}

    def close(self):
        if self._game is not None:
            self._game.close()
            self._game = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("game", help="coinrun, jumper, ninja, climber, leaper, maze, starpilot, ...")
    parser.add_argument("--mode", default="hard", choices=["easy", "hard"])
    parser.add_argument("--horizon", type=int, default=1000, help="steps of an episode")
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:5556")
    arguments = parser.parse_args()
    server = Server(
        lambda: Procgen(arguments.game, arguments.mode), f"Procgen-{arguments.game}", arguments.endpoint,
        action_names=NAMES, horizon=arguments.horizon,
    )  # fmt: skip
    print(f"{arguments.game}: {server.endpoint}", flush=True)
    server.run()


if __name__ == "__main__":
    main()
