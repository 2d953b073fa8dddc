"""PPO of RLlib, whose workers share several Genie servers.

    pip install "ray[rllib]" torch
    genie serve --game Platformer-v1 --endpoint tcp://127.0.0.1:5555 &
    genie serve --game Platformer-v1 --endpoint tcp://127.0.0.1:5556 &
    python examples/rllib_ppo.py --endpoints tcp://127.0.0.1:5555 tcp://127.0.0.1:5556
"""

from __future__ import annotations

import argparse
import os

import gymnasium
import numpy as np
from gymnasium.wrappers import TransformObservation
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.tune.registry import register_env

from genie_environments import Keys


def make(config: dict) -> gymnasium.Env:
    """A world for a worker; each asks the server whose turn it is."""
    import genie_environments  # in the worker's process: registers the names

    endpoints = config["endpoints"]
    endpoint = endpoints[config.worker_index % len(endpoints)]
    keys = genie_environments.Keys.load(*config["keys"]) if config["keys"] else None
    env = gymnasium.make("genie/World-v1", endpoint=endpoint, horizon=config["horizon"], keys=keys)
    space = gymnasium.spaces.Box(0, 1, env.observation_space.shape, np.float32)
    return TransformObservation(env, lambda frame: (frame / 255).astype(np.float32), space)


def main() -> None:
    """Learns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoints", nargs="+", default=["tcp://127.0.0.1:5555"])
    Keys.add_arguments(parser)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--horizon", type=int, default=200, help="steps after which an episode is cut")
    arguments = parser.parse_args()
    # Workers read the files themselves, so that no secret travels; in which folder they run is up to Ray.
    has_keys = Keys.given(parser, arguments) is not None
    keys = [os.path.abspath(file) for file in (arguments.key, arguments.server_key)] if has_keys else []
    register_env("genie", make)
    config = (
        PPOConfig()
        .environment(
            "genie", env_config={"endpoints": arguments.endpoints, "keys": keys, "horizon": arguments.horizon}
        )
        .env_runners(num_env_runners=arguments.workers, rollout_fragment_length=128)
        .training(train_batch_size_per_learner=128 * max(1, arguments.workers), minibatch_size=64, num_epochs=3)
        .rl_module(model_config=DefaultModelConfig(conv_filters=[[16, 8, 4], [32, 4, 2]], head_fcnet_hiddens=[128]))
    )
    algorithm = config.build_algo()
    for iteration in range(1, arguments.iterations + 1):
        result = algorithm.train()
        runners = result["env_runners"]
        steps = result.get("num_env_steps_sampled_lifetime", runners.get("num_env_steps_sampled_lifetime", 0))
        print(f"iteration {iteration}: {steps:.0f} steps, return {runners.get('episode_return_mean', float('nan')):.2f}")
    algorithm.stop()


if __name__ == "__main__":
    main()
