"""PPO in one file, by the conventions of CleanRL's `ppo.py`, in worlds of a Genie server.

    pip install torch
    genie serve --game Platformer-v1 --endpoint tcp://127.0.0.1:5555
    python examples/cleanrl_ppo.py --endpoint tcp://127.0.0.1:5555
"""

from __future__ import annotations

import argparse
import time

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

from genie_environments import GenieVectorEnv, Keys


def layer_init(layer: nn.Module, deviation: float = 2**0.5) -> nn.Module:
    """Orthogonal weights, no bias."""
    nn.init.orthogonal_(layer.weight, deviation)
    nn.init.zeros_(layer.bias)
    return layer


class Agent(nn.Module):
    """Actor and critic on one convolutional trunk, of two frames: one hides velocity."""

    def __init__(self, envs: gym.vector.VectorEnv):
        super().__init__()
        self.network = nn.Sequential(
            layer_init(nn.Conv2d(6, 16, 8, stride=4)), nn.ReLU(),
            layer_init(nn.Conv2d(16, 32, 4, stride=2)), nn.ReLU(), nn.Flatten(),
            layer_init(nn.Linear(32 * 6 * 6, 256)), nn.ReLU(),
        )  # fmt: skip
        self.actor = layer_init(nn.Linear(256, envs.single_action_space.n), 0.01)
        self.critic = layer_init(nn.Linear(256, 1), 1)

    def forward(self, x: torch.Tensor, action: torch.Tensor | None = None):
        """Action, its log-probability, entropy and value of uint8 frames `[n, 6, height, width]`."""
        hidden = self.network(x / 255.0)
        policy = Categorical(logits=self.actor(hidden))
        action = policy.sample() if action is None else action
        return action, policy.log_prob(action), policy.entropy(), self.critic(hidden).squeeze(-1)


def main() -> None:
    """Learns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:5555")
    parser.add_argument("--environment", help="name at the server, if it has several")
    Keys.add_arguments(parser)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--total-timesteps", type=int, default=200_000)
    parser.add_argument("--num-envs", type=int, default=16)
    parser.add_argument("--num-steps", type=int, default=128)
    parser.add_argument("--horizon", type=int, default=200, help="steps after which an episode is cut")
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--gae-lambda", type=float, default=0.95)
    parser.add_argument("--update-epochs", type=int, default=3)
    parser.add_argument("--minibatches", type=int, default=8)
    parser.add_argument("--clip-coef", type=float, default=0.2)
    parser.add_argument("--ent-coef", type=float, default=0.01)
    parser.add_argument("--vf-coef", type=float, default=0.5)
    parser.add_argument("--max-grad-norm", type=float, default=0.5)
    args = parser.parse_args()
    keys = Keys.given(parser, args)
    torch.manual_seed(args.seed)
    envs = GenieVectorEnv(args.num_envs, args.endpoint, args.environment, horizon=args.horizon, keys=keys)
    agent = Agent(envs)
    optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    size, shape = args.num_envs * args.num_steps, (args.num_steps, args.num_envs)
    height, width, _ = envs.single_observation_space.shape
    obs = torch.zeros(*shape, 6, height, width, dtype=torch.uint8)
    actions = torch.zeros(shape, dtype=torch.long)
    logprobs, rewards, values, ends, live = (torch.zeros(shape) for _ in range(5))
    start, returns = time.time(), []

    def picture(frames: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(frames).permute(0, 3, 1, 2)

    frame = picture(envs.reset(seed=args.seed)[0])
    next_obs, next_done = torch.cat([frame, frame], 1), torch.zeros(args.num_envs)
    earned = np.zeros(args.num_envs)
    updates = max(1, args.total_timesteps // size)
    for update in range(1, updates + 1):
        optimizer.param_groups[0]["lr"] = args.learning_rate * (1 - (update - 1) / updates)
        for step in range(args.num_steps):
            obs[step], live[step] = next_obs, 1 - next_done
            with torch.no_grad():
                actions[step], logprobs[step], _, values[step] = agent(next_obs)
            frames, reward, terminated, truncated, _ = envs.step(actions[step].numpy())
            rewards[step] = torch.from_numpy(reward).float()
            frame = picture(frames)
            # Next-step autoreset: the step after an end ignores its action and begins the next episode. It is no experience
            # (`live` is 0), but its frame is what the episode after it begins with.
            begun = next_done.bool()[:, None, None, None]
            next_obs = torch.cat([torch.where(begun, frame, next_obs[:, 3:]), frame], 1)
            next_done = torch.from_numpy(terminated | truncated).float()
            # What was only cut has a value still, and the step after shows the frame that it had.
            ends[step] = torch.from_numpy(terminated).float()
            earned += reward
            for row in np.flatnonzero(terminated | truncated):
                returns.append(earned[row])
                earned[row] = 0
        with torch.no_grad():
            following = torch.cat([values[1:], agent(next_obs)[3][None]])
            advantages, last = torch.zeros(shape), torch.zeros(args.num_envs)
            for step in reversed(range(args.num_steps)):
                alive = 1 - next_done if step == args.num_steps - 1 else live[step + 1]
                delta = rewards[step] + args.gamma * following[step] * (1 - ends[step]) - values[step]
                # `alive` is 0 where the next step is that of a reset: no advantage flows across.
                last = delta + args.gamma * args.gae_lambda * alive * last
                advantages[step] = last
        chosen = live.flatten().nonzero().squeeze(-1)
        flat = [x.flatten(0, 1) for x in (obs, actions, logprobs, advantages, advantages + values)]
        for _ in range(args.update_epochs):
            for rows in chosen[torch.randperm(len(chosen))].chunk(args.minibatches):
                b_obs, b_actions, b_logprobs, b_advantages, b_returns = (x[rows] for x in flat)
                _, logprob, entropy, value = agent(b_obs, b_actions)
                ratio = (logprob - b_logprobs).exp()
                scaled = (b_advantages - b_advantages.mean()) / (b_advantages.std() + 1e-8)
                clipped = ratio.clamp(1 - args.clip_coef, 1 + args.clip_coef)
                policy_loss = -torch.min(ratio * scaled, clipped * scaled).mean()
                value_loss = 0.5 * (value - b_returns).square().mean()
                loss = policy_loss + args.vf_coef * value_loss - args.ent_coef * entropy.mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
                optimizer.step()
        recent = np.mean(returns[-50:]) if returns else float("nan")
        print(f"{update * size} steps, {update * size / (time.time() - start):.0f} steps/s, return {recent:.2f}", flush=True)
    envs.close()


if __name__ == "__main__":
    main()
