"""Several environments of a Genie server, stepped in one message, as Gymnasium's `VectorEnv`."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space

from .client import RetryPolicy
from .keys import Keys
from .specification import Batch
from .env import spaces_of
from .fleet import Fleet, as_truncations, connect, drawn_seed
from .session import Session

try:
    from gymnasium.vector import AutoresetMode
except ImportError:  # Gymnasium before 1.1
    import enum

    class AutoresetMode(enum.Enum):  # type: ignore[no-redef]
        """When an episode that has ended starts anew."""

        NEXT_STEP = "NextStep"
        SAME_STEP = "SameStep"
        DISABLED = "Disabled"


class GenieVectorEnv(VectorEnv):
    """`num_envs` worlds in one session, or spread over several servers.

    Autoreset is Gymnasium's: *next step* (the step after an end ignores that row's action, earns 0, and returns the first
    observation of the next episode), *same step* (the ending step returns that observation, and the last one of the old episode as
    `infos["final_obs"]`) or *disabled* (`reset(options={"reset_mask": ended})` starts episodes).
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 15, "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        endpoint: str | Sequence[str] = "tcp://127.0.0.1:5555",
        environment: str | None = None,
        render_mode: str | None = None,
        auxiliaries: Sequence[str] = (),
        horizon: int | None = None,
        retry: RetryPolicy = RetryPolicy(),
        keys: Keys | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    ):
        """Connects and opens `num_envs` slots; arguments as of `GenieEnv`.

        With several endpoints, episodes at a server that dies are truncated (`infos["lost"]`), and go on at the others.
        """
        self.autoreset = AutoresetMode(autoreset_mode)
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode {render_mode!r}; there are {self.metadata['render_modes']}")
        self._session = connect(endpoint, environment, retry, keys)
        self._opening: dict[str, Any] = {"auxiliaries": auxiliaries, "horizon": horizon}
        self._slots = self._session.open(num_envs, **self._opening)
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.closed, self.viewer = False, None  # Gymnasium 0.29 looks at the viewer when it closes
        self.spec = None
        self.single_observation_space, self.single_action_space = spaces_of(self._session.specification)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.metadata = {**self.metadata, "render_fps": self._session.specification.frame_rate, "autoreset_mode": self.autoreset}
        self._due = np.zeros(num_envs, bool)
        self._frames = np.zeros(self.observation_space.shape or (), np.uint8)
        # Of a step of two messages, what the first gave while the second has no answer: the same step again goes on from there.
        self._half: tuple[Batch, np.ndarray] | None = None
        self._asked = b""
        self._has_begun = False

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode in every slot; a single seed `s` gives slot `i` the seed `s + i`.

        Options: `level`, one for all or a sequence; `prompt`, one for all.
        """
        if seed is None and not self._has_begun:
            seed = drawn_seed()
        seeds: Sequence[int | None]
        if seed is None or isinstance(seed, (int, np.integer)):
            seeds = [None if seed is None else int(seed) + i for i in range(self.num_envs)]
        else:
            seeds = list(seed)
        self._half = None
        options = options or {}
        level = options.get("level")
        levels: list[int | None]
        if level is None or isinstance(level, (int, np.integer)):
            levels = [None if level is None else int(level)] * self.num_envs
        else:
            levels = list(level)
        mask = options.get("reset_mask")
        if mask is not None and self._has_begun:
            return self._reset_some(np.flatnonzero(mask), seeds, levels, options.get("prompt"))
        self._slots = reopened(self._session, self._slots, self._opening)
        batch = self._session.reset(self._slots, seeds=seeds, levels=levels, prompts=[options.get("prompt")] * self.num_envs)
        _raise_fault(batch)
        self._has_begun = True
        self._due[:] = False
        self._frames = batch.observations.copy()
        return self._frames, {}

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One step of every slot. After `Disconnected` or `TimedOut` the same step again resumes where it was."""
        codes = np.asarray(actions, np.int32)
        if codes.shape != (self.num_envs,):
            raise ValueError(f"actions of shape {codes.shape} for {self.num_envs} environments")
        if self.autoreset != AutoresetMode.NEXT_STEP or not self._due.any():
            if self._asked != codes.tobytes():  # Another step: what the one before gave is no answer to it.
                self._half, self._asked = None, codes.tobytes()
            self._half = self._half or as_truncations(self._session.step(codes, self._slots), self._frames)
            batch, lost = self._half
            observations = batch.observations.copy()
            rewards, terminated, truncated = batch.rewards.astype(np.float64), batch.terminated, batch.truncated
            infos = _infos(batch.auxiliaries)
            if lost.any():
                infos["lost"] = lost
            if self.autoreset == AutoresetMode.SAME_STEP:
                self._replace(observations, terminated | truncated, infos)
            self._half = None
        else:
            observations, rewards, terminated, truncated, infos = self._step_and_reset(codes)
        if self.autoreset == AutoresetMode.NEXT_STEP:
            self._due = terminated | truncated
        self._frames = observations
        return observations, rewards, terminated, truncated, infos

    def _reset_some(
        self, rows: np.ndarray, seeds: Sequence[int | None], levels: Sequence[int | None], prompt: np.ndarray | None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts episodes in some rows; the others stay where they are."""
        self._frames = self._frames.copy()
        if rows.size:
            batch = self._session.reset(
                [self._slots[i] for i in rows], seeds=[seeds[i] for i in rows],
                levels=[levels[i] for i in rows], prompts=[prompt] * rows.size,
            )  # fmt: skip
            _raise_fault(batch)
            self._frames[rows] = batch.observations
            self._due[rows] = False
        return self._frames, {}

    def _replace(self, observations: np.ndarray, ended: np.ndarray, infos: dict[str, Any]) -> None:
        """Puts the starts of new episodes in the place of the ends of old ones."""
        rows = np.flatnonzero(ended)
        if not rows.size:
            return
        finals = np.full(self.num_envs, None, object)
        for row in rows:
            finals[row] = observations[row].copy()
        final_info = {name: values for name, values in infos.items()}
        batch = self._session.reset([self._slots[i] for i in rows])
        _raise_fault(batch)
        observations[rows] = batch.observations
        infos["final_obs"], infos["_final_obs"] = finals, ended.copy()
        infos["final_info"], infos["_final_info"] = final_info, ended.copy()

    def _step_and_reset(
        self, codes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        observations = np.empty_like(self._frames)
        rewards = np.zeros(self.num_envs)
        terminated, truncated = np.zeros(self.num_envs, bool), np.zeros(self.num_envs, bool)
        auxiliaries: dict[str, np.ndarray] = {}
        due, running = np.flatnonzero(self._due), np.flatnonzero(~self._due)
        if self._half is None:
            self._half = as_truncations(self._session.reset([self._slots[i] for i in due]), self._frames[due])
        parts = [(due, *self._half)]
        if running.size:
            stepped = self._session.step(codes[running], [self._slots[i] for i in running])
            parts.append((running, *as_truncations(stepped, self._frames[running])))
        self._half = None
        lost = np.zeros(self.num_envs, bool)
        for rows, batch, gone in parts:
            lost[rows] = gone
            observations[rows] = batch.observations
            rewards[rows] = batch.rewards
            terminated[rows], truncated[rows] = batch.terminated, batch.truncated
            for name, values in batch.auxiliaries.items():
                auxiliaries.setdefault(name, np.full(self.num_envs, np.nan, np.float32))[rows] = values
        infos = _infos(auxiliaries)
        if lost.any():
            infos["lost"] = lost
        return observations, rewards, terminated, truncated, infos

    def render(self) -> tuple[np.ndarray, ...] | None:
        """The last observation of each slot."""
        if self.render_mode != "rgb_array" or not self._has_begun:
            return None
        return tuple(self._frames)

    def close_extras(self, **kwargs: Any) -> None:
        """Ends the session."""
        self._session.close()


def reopened(session: Session | Fleet, slots: list[int], opening: dict[str, Any]) -> list[int]:
    """The slots, with new ones in the place of those that were lost with environments that failed."""
    return [slot if slot in session.slots else session.open(**opening)[0] for slot in slots]


def _raise_fault(batch: Batch) -> None:
    for fault in batch.faults.values():
        raise fault


def _infos(auxiliaries: dict[str, np.ndarray]) -> dict[str, Any]:
    infos: dict[str, Any] = {}
    for name, values in auxiliaries.items():
        infos[name], infos[f"_{name}"] = values, ~np.isnan(values)
    return infos
