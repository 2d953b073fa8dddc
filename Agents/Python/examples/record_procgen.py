"""Records a Procgen game as clips to train a world on, with what was pressed and what it gave.

    procgen/bin/pip install safetensors
    procgen/bin/python Agents/Python/examples/record_procgen.py coinrun --levels 40000:40800 --out clips
    genie train --clips clips --out coinrun.world

(`procgen/` is made as serve_procgen.py says.) `genie train` looks at 200 episodes' rewards and ends and at 200 presses, and at nothing
but the frames otherwise. Procgen never shows what the last press of an episode led to; so what that press gave is told of the one before.
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np
from safetensors.numpy import save_file
from serve_procgen import NAMES, Procgen

# A player who mostly wants to the right and up, and holds a key for five frames on average.
WISHES = np.array([0.04, 0.08, 0.08, 0.02, 0.06, 0.12, 0.0, 0.28, 0.32])
CLIPS_IN_A_FILE = 40


def play(environment: Procgen, level: int, frames: int) -> list[dict[str, np.ndarray]]:
    """So many frames of a level, in episodes."""
    random = np.random.default_rng(level)
    episodes: list[dict[str, list]] = []
    ended, held, action = True, 0, NAMES.index("noop")
    seen = None
    for _ in range(frames):
        if ended:
            seen, _ = environment.reset(options={"level": level})
            episodes.append({"frames": [], "actions": [], "rewards": [], "ends": []})
        if held == 0:
            action, held = random.choice(len(NAMES), p=WISHES / WISHES.sum()), random.geometric(0.2)
        held -= 1
        following, reward, ended, _, _ = environment.step(action)
        for name, value in zip(episodes[-1], (seen.copy(), action, reward, ended)):
            episodes[-1][name].append(value)
        seen = following
    types = {"frames": np.uint8, "actions": np.int32, "rewards": np.float32, "ends": np.bool_}
    arrays = [{name: np.array(e[name], types[name]) for name in types} for e in episodes if len(e["ends"]) > 3]
    for episode in arrays:
        episode["actions"][-1] = -1
        episode["rewards"][-2] += episode["rewards"][-1]
        episode["ends"][-2] = episode["ends"][-1]
        episode["rewards"][-1], episode["ends"][-1] = 0, False
    return arrays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("game", help="coinrun, jumper, ninja, climber, leaper, maze, starpilot, ...")
    parser.add_argument("--mode", default="hard", choices=["easy", "hard"])
    parser.add_argument("--levels", default="40000:40100", help="FIRST:END")
    parser.add_argument("--frames", type=int, default=256, help="of each level")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="a new folder")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True)
    environment = Procgen(arguments.game, arguments.mode)
    levels = range(*map(int, arguments.levels.split(":")))
    for number, first in enumerate(range(levels.start, levels.stop, CLIPS_IN_A_FILE)):
        some = range(first, min(first + CLIPS_IN_A_FILE, levels.stop))
        episodes = [episode for level in some for episode in play(environment, level, arguments.frames)]
        lengths = [len(episode["ends"]) for episode in episodes]
        tensors = {name: np.concatenate([episode[name] for episode in episodes]) for name in episodes[0]}
        tensors["episode_starts"] = np.cumsum([0, *lengths[:-1]], dtype=np.int64)
        file = arguments.out / f"clip-{number:05d}.safetensors"
        save_file(tensors, file, metadata={"fps": "15", "source": f"Procgen {arguments.game}"})
        print(f"{file}: {sum(lengths)} frames in {len(lengths)} episodes, {int(tensors['ends'].sum())} ends", flush=True)


if __name__ == "__main__":
    main()
