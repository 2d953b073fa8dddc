"""The adapter for Stable-Baselines3, where that is installed."""

from __future__ import annotations

import numpy as np
import pytest

from genie_environments import Disconnected, RetryPolicy, ServerError
from genie_environments.wire import Operation

pytest.importorskip("stable_baselines3")

from genie_environments.sb3 import GenieVecEnv  # noqa: E402


def test_ends_as_stable_baselines_wants_them(target):
    endpoint, name = target
    envs = GenieVecEnv(endpoint, name, num_envs=3, horizon=2)
    envs.seed(5)
    first = envs.reset()
    assert first.shape == (3, *envs.observation_space.shape)
    *_, dones, infos = envs.step(np.zeros(3, int))
    assert not dones.any() and infos == [{}, {}, {}]
    observations, _, dones, infos = envs.step(np.zeros(3, int))
    assert dones.all()
    for row, info in enumerate(infos):
        assert info["TimeLimit.truncated"] and info["episode"]["l"] == 2
        assert not np.array_equal(info["terminal_observation"], observations[row])
    *_, dones, _ = envs.step(np.zeros(3, int))
    assert not dones.any()
    envs.close()


def test_a_step_that_is_tried_again_happens_once(server):
    retry = RetryPolicy(resend_seconds=0.1, silence_seconds=0.4, timeout_seconds=5)
    envs = GenieVecEnv(server.endpoint, num_envs=2, horizon=2, retry=retry)
    envs.seed(1)
    envs.reset()
    envs.step([1, 1])
    server.unheard = (Operation.RESET, Operation.PING)
    with pytest.raises(Disconnected):
        envs.step([3, 3])
    server.unheard = ()
    observations, rewards, dones, infos = envs.step([3, 3])
    assert observations[:, 0, 0, 0].tolist() == [32, 48] and rewards.tolist() == [3, 3] and dones.all()
    assert infos[0]["episode"]["r"] == 4 and infos[0]["episode"]["l"] == 2
    envs.close()


def test_each_environment_has_a_seed_and_options_of_its_own(server, monkeypatch):
    def seeds_of(envs):
        return (envs.reset()[:, 0, 0, 0] // 16).tolist()

    envs = GenieVecEnv(server.endpoint, num_envs=4)
    assert len(set(seeds_of(envs))) > 1
    envs.seed(3)
    assert seeds_of(envs) == [3, 4, 5, 6] and seeds_of(envs) == [4, 5, 6, 7]
    assert envs.get_attr("render_mode") == ["rgb_array"] * 4
    with pytest.raises(AttributeError):
        envs.get_attr("action_masks")
    asked = []
    reset = envs._session.reset
    monkeypatch.setattr(envs._session, "reset", lambda *a, **k: asked.append(k["levels"]) or reset(*a, **k))
    envs.set_options([{"level": 3}, {}, {}, {"level": 5}])
    envs.reset()
    envs.reset()
    assert asked == [[3, None, None, 5], [None] * 4]
    envs.close()


def test_an_environment_that_breaks_is_opened_again(server):
    envs = GenieVecEnv(server.endpoint, num_envs=2)
    envs.seed(12)
    envs.reset()
    with pytest.raises(ServerError, match="FAULT"):
        envs.step([1, 5])
    envs.seed(4)
    assert envs.reset()[:, 0, 0, 0].tolist() == [64, 80] and envs.step([1, 2])[1].tolist() == [1, 2]
    envs.close()


def test_ppo_learns_from_it(target):
    from stable_baselines3 import PPO

    endpoint, name = target
    envs = GenieVecEnv(endpoint, name, num_envs=2, horizon=8)
    policy = "MlpPolicy"
    PPO(policy, envs, n_steps=16, batch_size=16, n_epochs=1, device="cpu").learn(32)
    envs.close()
