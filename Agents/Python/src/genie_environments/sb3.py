"""Worlds of a Genie server for Stable-Baselines3 (`pip install stable-baselines3`)."""

from __future__ import annotations

import time
from typing import Any, Sequence

import numpy as np
from stable_baselines3.common.vec_env.base_vec_env import VecEnv

from .client import RetryPolicy
from .env import spaces_of
from .fleet import as_truncations, connect
from .keys import Keys
from .specification import Batch
from .vector import _raise_fault, reopened


class GenieVecEnv(VecEnv):
    """`num_envs` worlds in one session, stepped in one message, or spread over several servers.

    As Stable-Baselines3 wants it: an episode that ends starts anew in the same step; `infos[i]` then has `terminal_observation`,
    `TimeLimit.truncated`, and `episode` with its return and length.
    """

    def __init__(
        self,
        endpoint: str | Sequence[str] = "tcp://127.0.0.1:5555",
        environment: str | None = None,
        num_envs: int = 1,
        horizon: int | None = None,
        retry: RetryPolicy = RetryPolicy(),
        keys: Keys | None = None,
    ):
        """Connects and opens `num_envs` slots."""
        self._session = connect(endpoint, environment, retry, keys)
        self._opening: dict[str, Any] = {"horizon": horizon}
        self._slots = self._session.open(num_envs, **self._opening)
        self._returns, self._lengths = np.zeros(num_envs), np.zeros(num_envs, int)
        self._begin = time.time()
        self.render_mode = "rgb_array"
        spaces = spaces_of(self._session.specification)
        self._frames = np.zeros((num_envs, *self._session.specification.observation.shape), np.uint8)
        # What a step gave while the reset after it has no answer: the same step again goes on from there.
        self._stepped: tuple[Batch, np.ndarray] | None = None
        self._asked = b""
        self._has_begun = False
        super().__init__(num_envs, *spaces)

    def reset(self) -> np.ndarray:
        """Starts an episode in every slot, with the seeds of `seed` (drawn before the first reset where it was not called)
        and, of `set_options`, each slot's `level` and `prompt`.
        """
        self._stepped = None
        if not self._has_begun and self._seeds == [None] * self.num_envs:
            self.seed()
        self._slots = reopened(self._session, self._slots, self._opening)
        levels, prompts = ([chosen.get(name) for chosen in self._options] for name in ("level", "prompt"))
        batch = self._session.reset(self._slots, seeds=self._seeds, levels=levels, prompts=prompts)
        _raise_fault(batch)
        self._has_begun = True
        self._reset_seeds()
        self._reset_options()
        self._returns[:], self._lengths[:] = 0, 0
        self.reset_infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        self._frames = batch.observations.copy()
        return self._frames

    def step_async(self, actions: np.ndarray) -> None:
        """Sends the step. After `Disconnected` or `TimedOut` the same one again resumes where it was."""
        codes = np.asarray(actions, np.int32)
        if self._stepped is None or self._asked != codes.tobytes():
            self._session.send(codes, self._slots)
            self._stepped, self._asked = None, codes.tobytes()

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Waits for it."""
        if self._stepped is None:
            self._stepped = as_truncations(self._session.receive(), self._frames)
            self._returns += self._stepped[0].rewards
            self._lengths += 1
        batch, lost = self._stepped
        observations, rewards = batch.observations.copy(), batch.rewards.copy()
        dones = batch.terminated | batch.truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = np.flatnonzero(dones)
        if ended.size:
            starts = self._session.reset([self._slots[i] for i in ended])
            _raise_fault(starts)
            for row in ended:
                infos[row] = {
                    "terminal_observation": observations[row].copy(),
                    "TimeLimit.truncated": bool(batch.truncated[row] and not batch.terminated[row]),
                    "episode": {
                        "r": float(self._returns[row]), "l": int(self._lengths[row]), "t": time.time() - self._begin,
                    },
                }  # fmt: skip
                if lost[row]:
                    infos[row]["lost"] = True
            observations[ended] = starts.observations
            self._returns[ended], self._lengths[ended] = 0, 0
        self._stepped = None
        self._frames = observations
        return observations, rewards, dones, infos

    def close(self) -> None:
        """Ends the session."""
        self._session.close()

    def get_images(self) -> Sequence[np.ndarray | None]:
        """The last observation of each slot."""
        return list(self._frames)

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """One value for each slot; they share all there is.

        Raises:
            AttributeError: where there is none of that name.
        """
        return [getattr(self, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Nothing can be set at a server."""
        raise AttributeError(f"{attr_name} cannot be set: the environments are at a server")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """No methods can be called at a server."""
        raise AttributeError(f"{method_name} cannot be called: the environments are at a server")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Never: what SB3's Monitor tells, this tells itself."""
        return [False] * len(list(self._get_indices(indices)))
