"""PPO of Stable-Baselines3 in worlds of a Genie server.

    pip install stable-baselines3
    genie serve --game Platformer-v1 --endpoint tcp://127.0.0.1:5555
    python examples/sb3_ppo.py --endpoint tcp://127.0.0.1:5555
"""

from __future__ import annotations

import argparse

from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecFrameStack

from genie_environments import Keys
from genie_environments.sb3 import GenieVecEnv


def main() -> None:
    """Learns, then plays."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:5555")
    parser.add_argument("--environment", help="name at the server, if it has several")
    Keys.add_arguments(parser)
    parser.add_argument("--envs", type=int, default=16)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--horizon", type=int, default=200, help="steps after which an episode is cut")
    parser.add_argument("--out", help="a file for the policy")
    arguments = parser.parse_args()
    keys = Keys.given(parser, arguments)

    def worlds(count: int) -> VecFrameStack:
        # One frame hides velocity.
        envs = GenieVecEnv(arguments.endpoint, arguments.environment, count, arguments.horizon, keys=keys)
        return VecFrameStack(envs, 2)

    env = worlds(arguments.envs)
    model = PPO("CnnPolicy", env, n_steps=128, batch_size=256, n_epochs=3, learning_rate=5e-4, ent_coef=0.01, verbose=1)
    model.learn(arguments.steps)
    env.close()
    judge = worlds(8)
    mean, deviation = evaluate_policy(model, judge, n_eval_episodes=24, deterministic=False)
    judge.close()
    print(f"return {mean:.2f} (deviation {deviation:.2f}) in 24 episodes")
    if arguments.out:
        model.save(arguments.out)


if __name__ == "__main__":
    main()
