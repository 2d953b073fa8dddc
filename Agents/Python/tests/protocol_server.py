"""A server of counting environments, for tests without the real one."""

from __future__ import annotations

import time

import gymnasium
import numpy as np

from genie_environments import Server
from genie_environments.wire import Operation


class Counting(gymnasium.Env):
    """Its picture tells seed and count; a step earns its action. Action 5 of seed 13 breaks it."""

    observation_space = gymnasium.spaces.Box(0, 255, (4, 5, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(6)

    def __init__(self) -> None:
        self.seed = self.count = 0

    def _seen(self):
        return np.full((4, 5, 3), (self.seed * 16 + self.count) % 256, np.uint8)

    def reset(self, *, seed=None, options=None):
        self.seed = self.seed + 1 if seed is None else seed
        self.count = 0
        return self._seen(), {"count": self.count}

    def step(self, action):
        assert not (self.seed == 13 and action == 5)
        self.count += 1
        return self._seen(), float(action), False, False, {"count": self.count}


class ProtocolServer(Server):
    """Serves on a thread. `mute` makes it execute so many requests without answering, as a cut network does; so are the
    operations that are `unheard`, however often they are asked.
    """

    def __init__(self, **options) -> None:
        self.executed = 0
        self.mute = 0
        self.unheard: tuple[Operation, ...] = ()
        options = {"auxiliaries": ["count"], "horizon": 10, "frame_rate": 20, "slot_limit": 64, **options}
        super().__init__(Counting, "Counting-v1", **options)
        self.start()

    def _execute(self, request, session):
        self.executed += 1
        return super()._execute(request, session)

    def _send(self, peer, message):
        if self.mute:
            self.mute -= 1
        elif message.operation not in self.unheard:
            super()._send(peer, message)


def wait_until(condition, seconds: float = 3.0) -> None:
    """Waits for something that another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)
