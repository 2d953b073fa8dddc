"""What Gymnasium asks of an environment."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import genie_environments  # noqa: F401
from genie_environments import Disconnected, GenieEnv, GenieVectorEnv, RetryPolicy, ServerError, Session
from genie_environments.wire import Operation


def test_levels_of_a_part_of_the_environments(server, monkeypatch):
    envs = GenieVectorEnv(3, server.endpoint, "Counting-v1")
    envs.reset(seed=1)
    asked = {}
    monkeypatch.setattr(Session, "reset", _asking(asked, Session.reset))
    envs.reset(seed=7, options={"reset_mask": np.array([True, False, True]), "level": [4, 5, 6]})
    assert asked["levels"] == [4, 6] and asked["seeds"] == [7, 9]


def _asking(asked, reset):
    def asking(self, slots=None, **options):
        asked.update(options)
        return reset(self, slots, seeds=options["seeds"])

    return asking


def test_passes_check_env(target):
    endpoint, name = target
    env = gymnasium.make("genie/World-v1", endpoint=endpoint, environment=name, render_mode="rgb_array")
    # The check would also open a window, which needs pygame and a screen.
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_episodes_repeat_by_seed(target):
    endpoint, name = target
    runs = []
    for _ in range(2):
        env = GenieEnv(endpoint, name, horizon=8)
        frames = [env.reset(seed=11)[0]]
        for action in range(8):
            observation, _, terminated, truncated, _ = env.step(action % 4)
            frames.append(observation)
            if terminated or truncated:
                break
        frames.append(env.reset()[0])
        runs.append(np.stack(frames))
        env.close()
    assert np.array_equal(runs[0], runs[1])


def test_step_after_the_end_is_an_error(target):
    env = GenieEnv(*target, horizon=1)
    env.reset(seed=1)
    assert env.step(0)[3]
    with pytest.raises(ServerError):
        env.step(0)
    env.close()


def test_vector_starts_anew_in_the_next_step(target):
    endpoint, name = target
    envs = GenieVectorEnv(3, endpoint, name, horizon=4)
    first, _ = envs.reset(seed=1)
    assert first.shape == envs.observation_space.shape and first.dtype == np.uint8
    for _ in range(3):
        *_, truncated, _ = envs.step(np.zeros(3, int))
        assert not truncated.any()
    *_, truncated, _ = envs.step(np.zeros(3, int))
    assert truncated.all()
    again, rewards, terminated, truncated, _ = envs.step(np.zeros(3, int))
    assert not rewards.any() and not terminated.any() and not truncated.any()
    assert again.shape == first.shape
    envs.close()


def test_vector_rows_end_by_themselves(server):
    envs = GenieVectorEnv(2, server.endpoint, "Counting-v1", auxiliaries=["count"])
    envs.reset(seed=[0, 1])
    for _ in range(5):
        envs.step([0, 1])
    single = envs._session.reset([envs._slots[1]], seeds=[1])
    assert single.auxiliaries["count"][0] == 0
    for _ in range(4):
        envs.step([0, 1])
    *_, truncated, infos = envs.step([0, 1])
    assert truncated.tolist() == [True, False] and infos["count"].tolist() == [10, 5]
    observations, rewards, _, truncated, infos = envs.step([3, 3])
    assert infos["count"].tolist() == [0, 6] and rewards.tolist() == [0, 3] and not truncated.any()
    assert observations[0, 0, 0, 0] == 16 and observations[1, 0, 0, 0] == 22
    envs.close()


@pytest.mark.parametrize("mode, unheard", [("NextStep", Operation.STEP), ("SameStep", Operation.RESET)])
def test_a_step_that_is_tried_again_happens_once(server, mode, unheard):
    retry = RetryPolicy(resend_seconds=0.1, silence_seconds=0.4, timeout_seconds=5)
    envs = GenieVectorEnv(2, server.endpoint, "Counting-v1", horizon=2, retry=retry, autoreset_mode=mode)
    envs.reset(seed=[1, 4])
    envs.step([0, 0])
    envs._session.reset([envs._slots[1]], seeds=[5])
    if mode == "NextStep":
        assert envs.step([0, 0])[3].tolist() == [True, False]
    server.unheard = (unheard, Operation.PING)
    with pytest.raises(Disconnected):
        envs.step([3, 3])
    server.unheard = ()
    observations, rewards, _, truncated, infos = envs.step([3, 3])
    if mode == "NextStep":
        assert observations[:, 0, 0, 0].tolist() == [32, 82] and rewards.tolist() == [0, 3]
    else:
        assert observations[:, 0, 0, 0].tolist() == [32, 81] and rewards.tolist() == [3, 3]
        assert infos["final_obs"][0][0, 0, 0] == 18 and truncated.tolist() == [True, False]
    envs.close()


def test_another_step_than_the_one_that_failed_is_made(server):
    retry = RetryPolicy(resend_seconds=0.1, silence_seconds=0.4, timeout_seconds=5)
    envs = GenieVectorEnv(1, server.endpoint, "Counting-v1", horizon=2, retry=retry, autoreset_mode="SameStep")
    envs.reset(seed=[1])
    envs.step([0])
    server.unheard = (Operation.RESET, Operation.PING)
    with pytest.raises(Disconnected):
        envs.step([3])
    server.unheard = ()
    observations, rewards, *_ = envs.step([4])
    assert observations[0, 0, 0, 0] == 33 and rewards.tolist() == [4]
    envs.close()


def test_rendering(server):
    env = GenieEnv(server.endpoint, render_mode="rgb_array")
    env.reset(seed=2)
    assert np.array_equal(env.render(), env.step(0)[0] - 1)
    env.close()
    with pytest.raises(ValueError):
        GenieEnv(server.endpoint, render_mode="ansi")
