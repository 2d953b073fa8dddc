"""Plays some episodes with random actions and prints what they earned."""

from __future__ import annotations

import argparse
import time

import gymnasium

from genie_environments import Keys  # the import registers the names, too


def main() -> None:
    """Runs the agent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:5555")
    parser.add_argument("--environment", help="name at the server, if it has several")
    Keys.add_arguments(parser)
    parser.add_argument("--episodes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    env = gymnasium.make(
        "genie/World-v1", endpoint=arguments.endpoint, environment=arguments.environment, keys=Keys.given(parser, arguments)
    )
    env.action_space.seed(arguments.seed)
    for episode in range(arguments.episodes):
        env.reset(seed=arguments.seed + episode)
        total, steps, start, over = 0.0, 0, time.perf_counter(), False
        while not over:
            _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            total, steps, over = total + float(reward), steps + 1, terminated or truncated
        rate = steps / (time.perf_counter() - start)
        print(f"episode {episode}: return {total:.2f} in {steps} steps, {rate:.0f} steps/s")
    env.close()


if __name__ == "__main__":
    main()
