"""Snapshots, forks, autoreset modes: against the real server, which does them."""

from __future__ import annotations

import os

import numpy as np
import pytest

from genie_environments import GenieEnv, GenieVectorEnv, ServerError, Session
from genie_environments.vector import AutoresetMode
from genie_environments.wire import Status

needs_server = pytest.mark.skipif("GENIE_ENDPOINT" not in os.environ, reason="GENIE_ENDPOINT is not set")


@pytest.fixture
def real():
    """Endpoint and environment of the real server."""
    return os.environ["GENIE_ENDPOINT"], os.environ.get("GENIE_ENVIRONMENT", "Platformer-v1")


@needs_server
def test_restored_and_forked_worlds_go_the_same_way(real):
    with Session(*real) as session:
        (origin,) = session.open(1)
        session.reset(seeds=[3])
        session.step([2])
        kept = session.snapshot()
        forks = session.fork(origin, 3)
        assert forks == [1, 2, 3] and session.slots == [0, 1, 2, 3]
        for action in (2, 5, 2):
            frames = session.step([action] * 4).observations
            assert all(np.array_equal(frame, frames[0]) for frame in frames)
        session.close_slots(forks)
        session.restore(kept)
        for action in (2, 5, 2):
            again = session.step([action])
        assert np.array_equal(again.observations[0], frames[0])
        with pytest.raises(ServerError) as caught:
            session.restore([kept[0][:-1]])
        assert caught.value.status == Status.INVALID_SNAPSHOT


@needs_server
def test_an_environment_goes_back(real):
    env = GenieEnv(*real)
    env.reset(seed=1)
    kept = env.snapshot()
    first = env.step(2)
    env.restore(kept)
    second = env.step(2)
    assert np.array_equal(first[0], second[0]) and first[1:4] == second[1:4]
    env.close()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_autoreset_modes(target, mode):
    endpoint, name = target
    envs = GenieVectorEnv(2, endpoint, name, horizon=2, autoreset_mode=mode)
    assert envs.metadata["autoreset_mode"] == mode
    starts, _ = envs.reset(seed=[1, 2])
    envs.step([0, 0])
    last, _, terminated, truncated, infos = envs.step([0, 0])
    assert (terminated | truncated).all()
    if mode == AutoresetMode.SAME_STEP:
        assert infos["_final_obs"].all() and infos["final_obs"][0].shape == starts[0].shape
        assert not np.array_equal(last[0], infos["final_obs"][0])
        *_, truncated, _ = envs.step([0, 0])
        assert not truncated.any()
    elif mode == AutoresetMode.NEXT_STEP:
        _, rewards, terminated, truncated, _ = envs.step([0, 0])
        assert not rewards.any() and not (terminated | truncated).any()
    else:
        frames, _ = envs.reset(options={"reset_mask": np.array([True, False])})
        assert np.array_equal(frames[1], last[1])
        with pytest.raises(ServerError):
            envs.step([0, 0])
    envs.close()
