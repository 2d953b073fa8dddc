"""Environments over several servers: spread, and what becomes of them when a server dies."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from protocol_server import ProtocolServer

from genie_environments import Disconnected, Fleet, GenieVectorEnv, Refused, RetryPolicy, ServerError, Session, SessionLost
from genie_environments.wire import Status

QUICK = RetryPolicy(resend_seconds=0.1, silence_seconds=0.4, timeout_seconds=5)


@pytest.fixture
def servers():
    """Two servers; a test may stop either."""
    servers = [ProtocolServer(), ProtocolServer()]
    yield servers
    for server in servers:
        if server._running:
            server.stop()


def test_spread_evenly_and_stepped_as_one(servers):
    endpoints = [server.endpoint for server in servers]
    with Fleet(endpoints, retry=QUICK) as fleet:
        slots = fleet.open(5, auxiliaries=["count"])
        assert sorted(fleet.load.values()) == [2, 3]
        first = fleet.reset(seeds=[0, 1, 2, 3, 4])
        assert first.observations[:, 0, 0, 0].tolist() == [0, 16, 32, 48, 64]
        batch = fleet.step([0, 1, 2, 3, 4])
        assert batch.rewards.tolist() == [0, 1, 2, 3, 4] and not batch.faults
        some = fleet.step([5, 1], [slots[3], slots[0]])
        assert some.rewards.tolist() == [5, 1] and some.auxiliaries["count"].tolist() == [2, 2]
        fleet.close_slots(slots[:2])
        assert sum(fleet.load.values()) == 3


def test_the_death_of_a_server_costs_its_episodes_only(servers):
    fleet = Fleet([server.endpoint for server in servers], retry=QUICK)
    slots = fleet.open(4)
    fleet.reset(seeds=[0, 1, 2, 3])
    at = [fleet._places[slot][0] for slot in slots]
    servers[0].stop()
    batch = fleet.step([1, 1, 1, 1])
    assert [row in batch.faults for row in range(4)] == [place == 0 for place in at]
    assert all(isinstance(fault, SessionLost) for fault in batch.faults.values())
    assert fleet.load == {servers[1].endpoint: 4}
    lost = sorted(batch.faults)
    assert not fleet.reset([slots[row] for row in lost], seeds=lost).faults
    assert fleet.step([2, 2, 2, 2]).rewards.tolist() == [2, 2, 2, 2]
    servers[1].stop()
    assert len(fleet.step([1, 1, 1, 1]).faults) == 4
    with pytest.raises(Disconnected):
        fleet.reset()


def test_environments_that_are_opened_again_play_different_episodes(servers):
    fleet = Fleet([server.endpoint for server in servers], retry=QUICK)
    slots = fleet.open(6)
    fleet.reset(seeds=range(6))
    servers[0].stop()
    lost = [slots[row] for row in fleet.step([1] * 6).faults]
    starts = fleet.reset(lost).observations[:, 0, 0, 0]
    assert len(lost) == 3 and len(set(starts.tolist())) > 1
    fleet.close()


def test_a_mistake_in_a_call_costs_no_session(servers):
    fleet = Fleet([server.endpoint for server in servers], retry=QUICK)
    slots = fleet.open(2)
    fleet.reset(seeds=[1, 2])
    for wrong in (lambda: fleet.step([1, 1], [slots[0]] * 2), lambda: fleet.reset([99]), lambda: fleet.reset(seeds=[1])):
        with pytest.raises(ValueError):
            wrong()
    assert fleet.step([1, 2]).rewards.tolist() == [1, 2] and len(fleet.load) == 2
    fleet.close()


def test_an_environment_that_breaks_is_opened_again(servers):
    fleet = Fleet([server.endpoint for server in servers], retry=QUICK)
    fleet.open(3)
    fleet.reset(seeds=[13, 1, 2])
    assert {row: fault.status for row, fault in fleet.step([5, 1, 1]).faults.items()} == {0: Status.FAULT}
    assert not fleet.reset(seeds=[4, 5, 6]).faults and fleet.step([1, 2, 3]).rewards.tolist() == [1, 2, 3]
    fleet.close()


def test_a_server_that_forgot_us_is_asked_again(servers):
    fleet = Fleet([server.endpoint for server in servers], retry=QUICK)
    fleet.open(4)
    fleet.reset(seeds=[0, 1, 2, 3])
    servers[0].epoch += 1
    servers[0]._sessions.clear()
    assert len(fleet.step([1, 1, 1, 1]).faults) == 2
    fleet.reset()
    assert sorted(fleet.load.values()) == [2, 2] and not fleet.step([1, 1, 1, 1]).faults


def test_what_fails_everywhere_is_told(servers, monkeypatch):
    fleet = Fleet([server.endpoint for server in servers], retry=QUICK)
    fleet.open(4)
    fleet.reset(seeds=[0, 1, 2, 3])

    def fail(*_, **__):
        raise Disconnected("the message is too large")

    with monkeypatch.context() as patch:
        patch.setattr(Session, "reset", fail)
        with pytest.raises(Disconnected, match="too large"):
            fleet.reset(seeds=[0, 1, 2, 3])
    assert fleet.reset(seeds=[0, 1, 2, 3]).observations[:, 0, 0, 0].tolist() == [0, 16, 32, 48]


def test_a_message_too_large_costs_no_episode(servers):
    fleet = Fleet([server.endpoint for server in servers], retry=QUICK)
    fleet.open(4)
    fleet.reset(seeds=[0, 1, 2, 3])
    with pytest.raises(ServerError) as error:
        fleet.reset(prompts=[np.zeros((1, 2400, 2400, 3), np.uint8)] * 4)
    assert error.value.status == Status.TOO_LARGE
    assert not fleet.step([1, 1, 1, 1]).faults


def test_a_server_that_never_opens_is_asked_once(servers, monkeypatch):
    fleet = Fleet([servers[0].endpoint], retry=QUICK)
    asked = []

    def silent(*_, **__):
        asked.append(1)
        assert len(asked) < 9, "without end"
        raise Disconnected("no word from the server")

    with monkeypatch.context() as patch:
        patch.setattr(Session, "open", silent)
        with pytest.raises(Disconnected):
            fleet.open()
    assert len(asked) == 1 and fleet.open() == [1]


def test_what_cannot_be_opened_leaves_nothing(servers):
    fleet = Fleet([server.endpoint for server in servers], retry=QUICK)
    slots = fleet.open(4)
    with pytest.raises(ServerError, match="TOO_MANY_SLOTS"):
        fleet.open(126)
    assert fleet.slots == slots and sorted(fleet.load.values()) == [2, 2]
    assert fleet.reset(seeds=[0, 1, 2, 3]).observations[:, 0, 0, 0].tolist() == [0, 16, 32, 48]
    assert len(fleet.open(124)) == 124, "nothing is left at the servers, either"


def test_environments_come_back_with_their_own_options(servers):
    fleet = Fleet([server.endpoint for server in servers], retry=QUICK)
    fleet.open(2, horizon=2)
    fleet.open(2, horizon=3, auxiliaries=["count"])
    servers[0].stop()
    fleet.reset()
    fleet.reset()
    for count in (1, 2):
        batch = fleet.step([1, 1, 1, 1])
        assert np.array_equal(batch.auxiliaries["count"], [np.nan, np.nan, count, count], equal_nan=True)
    assert not batch.faults and batch.truncated.tolist() == [True, True, False, False]


@pytest.mark.parametrize("change", [{"name": "Other-v1"}, {"actions": 7}])
def test_a_server_that_comes_back_as_another_is_left_alone(servers, change):
    fleet = Fleet([server.endpoint for server in servers], "Counting-v1", QUICK)
    fleet.open(4)
    fleet.reset(seeds=[0, 1, 2, 3])
    at = [fleet._places[slot][0] for slot in fleet.slots]
    servers[0].epoch += 1
    servers[0].specification = dataclasses.replace(servers[0].specification, **change)
    batch = fleet.step([1, 2, 3, 4])
    assert [row in batch.faults for row in range(4)] == [place == 0 for place in at]
    assert [r for r, place in zip(batch.rewards, at) if place] == [a for a, place in zip([1, 2, 3, 4], at) if place]
    assert fleet.load == {servers[1].endpoint: 4}
    fleet.rejoin()
    assert fleet.load == {servers[1].endpoint: 4}
    with pytest.raises((Refused, ServerError)):
        Fleet([server.endpoint for server in reversed(servers)], "Counting-v1", QUICK)


def test_a_session_that_is_given_up_frees_its_environments(servers):
    fleet = Fleet([servers[0].endpoint], retry=QUICK)
    fleet.open(2)
    fleet.reset(seeds=[13, 1])
    assert list(fleet.step([5, 5]).faults) == [0]
    fleet._sessions[0].slots.append(99)  # A slot that the server does not know, so that it refuses the step.
    fleet._places[fleet.slots[0]] = (0, 99)
    assert len(fleet.step([1, 1]).faults) == 2
    assert [len(session.slots) for session in servers[0]._sessions.values()] == [2]


def test_a_server_that_is_not_there_yet(servers):
    other = servers[1].endpoint
    servers[1].stop()
    fleet = Fleet([servers[0].endpoint, other], retry=QUICK)
    fleet.open(2)
    assert list(fleet.load) == [servers[0].endpoint]
    with pytest.raises(Disconnected):
        Fleet([other], retry=QUICK)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_vector_goes_on_without_a_server(servers, mode):
    envs = GenieVectorEnv(4, [s.endpoint for s in servers], "Counting-v1", retry=QUICK, autoreset_mode=mode)
    envs.reset(seed=0)
    frames, *_ = envs.step(np.ones(4, int))
    servers[1].stop()
    observations, rewards, terminated, truncated, infos = envs.step(np.ones(4, int))
    lost = infos["lost"]
    assert lost.sum() == 2 and truncated.tolist() == lost.tolist() and not terminated.any()
    assert rewards.tolist() == [0 if gone else 1 for gone in lost]
    final = observations[lost] if mode == "NextStep" else np.stack(list(infos["final_obs"][lost]))
    assert np.array_equal(final, frames[lost])
    for _ in range(3):
        *_, infos = envs.step(np.ones(4, int))
        assert "lost" not in infos
    envs.close()
