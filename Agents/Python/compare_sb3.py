"""Our PPO beside Stable-Baselines3's: the same game, network and hyperparameters, learning curves side by side.

    make build
    pip install ./Agents/Python stable-baselines3 tensorboard matplotlib
    python Agents/Python/compare_sb3.py --steps 100000 --seeds 5 --out comparison

Serves Platformer-v1 itself. OUT keeps every run, so that the command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import subprocess
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]


def ours(binary: pathlib.Path, endpoint: str, steps: int, seed: int, folder: pathlib.Path) -> list[tuple[int, float]]:
    """(step, mean return of the episodes that ended in the rollout), as PPOAgent logs it."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    command = [binary / "PPOAgent", "--endpoint", endpoint, "--steps", str(steps), "--seed", str(seed), "--out", folder]
    # Of a run that was interrupted: its curve would be taken for this one's.
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    events = EventAccumulator(str(folder))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars("charts/episodic_return")]


def theirs(endpoint: str, steps: int, seed: int) -> list[tuple[int, float]]:
    """The same of stable_baselines3.PPO, with every setting of ours."""
    import torch
    from genie_environments.sb3 import GenieVecEnv
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
    from stable_baselines3.common.vec_env import VecNormalize

    class Network(BaseFeaturesExtractor):
        def __init__(self, space, features_dim=128):
            super().__init__(space, features_dim)
            self.layers = torch.nn.Sequential(
                torch.nn.Conv2d(3, 16, 8, 4), torch.nn.ReLU(), torch.nn.Conv2d(16, 32, 4, 2), torch.nn.ReLU(),
                torch.nn.Flatten(), torch.nn.Linear(32 * 6 * 6, features_dim), torch.nn.ReLU())

        def forward(self, observations):
            return self.layers(observations)

    class Curve(BaseCallback):
        def __init__(self):
            super().__init__()
            self.points, self.returns = [], []

        def _on_step(self) -> bool:
            self.returns += [info["episode"]["r"] for info in self.locals["infos"] if "episode" in info]
            return True

        def _on_rollout_end(self) -> None:
            if self.returns:
                self.points.append((self.num_timesteps, float(np.mean(self.returns))))
            self.returns = []

    torch.manual_seed(seed)
    game = GenieVecEnv(endpoint, num_envs=32)
    game.seed(seed)
    # Rewards are divided by the running deviation of the discounted return, as ours are.
    environments = VecNormalize(game, norm_obs=False, norm_reward=True, clip_reward=1e9, gamma=0.99)
    curve = Curve()
    learner = PPO(
        "CnnPolicy", environments, learning_rate=lambda remaining: 1.4e-3 * remaining, n_steps=32, batch_size=128,
        n_epochs=3, gamma=0.99, gae_lambda=0.95, clip_range=0.2, ent_coef=0.003, max_grad_norm=0.5,
        # Ours is of half the squared error.
        vf_coef=0.25, seed=seed, device="cpu",
        policy_kwargs={
            "features_extractor_class": Network, "net_arch": [], "optimizer_kwargs": {"eps": 1e-8}})
    learner.learn(steps, callback=curve)
    environments.close()
    return curve.points


def band(runs: list[list[tuple[int, float]]], grid: np.ndarray) -> np.ndarray:
    """`[runs, grid]`: every curve, smoothed over 5 rollouts, at common steps."""
    rows = []
    for points in runs:
        steps, values = np.array(points).T
        smooth = np.convolve(np.pad(values, 2, "edge"), np.ones(5) / 5, "valid")
        rows.append(np.interp(grid, steps, smooth))
    return np.array(rows)


def plot(results: dict[str, list], grid: np.ndarray, path: pathlib.Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4))
    for (name, runs), color in zip(results.items(), ["#2f6f4f", "#b5532a"]):
        values = band(runs, grid)
        for row in values:
            axes.plot(grid, row, color=color, alpha=0.3, linewidth=0.8)
        axes.plot(grid, values.mean(0), color=color, linewidth=2, label=f"{name} ({len(runs)} seeds)")
    axes.set(xlabel="environment steps", ylabel="mean return of episodes", title="Platformer-v1")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / ".build/release")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    kept = arguments.out / "curves.json"
    state = json.loads(kept.read_text()) if kept.exists() else {}
    if state.get("steps") != arguments.steps:
        state = {"steps": arguments.steps, "ours": {}, "stable-baselines3": {}, "seconds": {}}
    with tempfile.TemporaryDirectory() as folder:
        endpoint = f"ipc://{folder}/game.sock"
        server = subprocess.Popen(
            [arguments.binaries / "genie", "serve", "--game", "Platformer-v1", "--endpoint", endpoint],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        server.stdout.readline()
        try:
            for seed in range(1, arguments.seeds + 1):
                for name in ("ours", "stable-baselines3"):
                    if str(seed) in state[name]:
                        continue
                    begin = time.time()
                    run = arguments.out / f"ours-{seed}"
                    state[name][str(seed)] = (
                        ours(arguments.binaries, endpoint, arguments.steps, seed, run) if name == "ours"
                        else theirs(endpoint, arguments.steps, seed))
                    state["seconds"][f"{name} {seed}"] = round(time.time() - begin, 1)
                    kept.write_text(json.dumps(state) + "\n")
                    print(name, seed, state["seconds"][f"{name} {seed}"], "s", state[name][str(seed)][-1], flush=True)
        finally:
            server.terminate()
            server.wait()
    results = {name: list(state[name].values()) for name in ("ours", "stable-baselines3")}
    grid = np.linspace(arguments.steps / 20, arguments.steps, 100)
    plot(results, grid, arguments.out / "curves.svg")
    bands = {name: band(runs, grid) for name, runs in results.items()}
    # Over the last tenth of the training, and over all of it (the area under the curve).
    report = {"steps": arguments.steps, "seconds": state["seconds"]}
    for name, values in bands.items():
        report[name] = {
            "seeds": len(values), "final_return": [round(float(v), 3) for v in values[:, -10:].mean(1)],
            "mean_return": [round(float(v), 3) for v in values.mean(1)]}
    (arguments.out / "comparison.json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
