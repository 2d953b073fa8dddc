"""One environment of a Genie server, as `gymnasium.Env`."""

from __future__ import annotations

from typing import Any, Sequence

import gymnasium
import numpy as np

from .client import RetryPolicy
from .keys import Keys
from .session import Session
from .specification import Specification


def spaces_of(specification: Specification) -> tuple[gymnasium.spaces.Box, gymnasium.spaces.Discrete]:
    """Observation and action space of an environment."""
    observation = gymnasium.spaces.Box(0, 255, specification.observation.shape, np.uint8)
    return observation, gymnasium.spaces.Discrete(specification.actions)


class GenieEnv(gymnasium.Env[np.ndarray, np.int64]):
    """A world behind a socket.

    Seeds: `reset(seed=s)` determines the episode, and those of later resets without a seed. A first reset without a
    seed draws one, as Gymnasium does.
    """

    metadata = {"render_modes": ["rgb_array", "human"], "render_fps": 15}

    def __init__(
        self,
        endpoint: str = "tcp://127.0.0.1:5555",
        environment: str | None = None,
        render_mode: str | None = None,
        auxiliaries: Sequence[str] = (),
        horizon: int | None = None,
        retry: RetryPolicy = RetryPolicy(),
        keys: Keys | None = None,
    ):
        """Connects and opens one slot.

        Args:
            endpoint: where the server is, `tcp://...` or `ipc://...`.
            environment: its name at the server; None where the server has only one.
            auxiliaries: what to report in `info` with every step, of those that the environment offers.
            horizon: truncates episodes after so many steps; None leaves the environment's own.
            keys: for a server that asks for them.
        """
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode {render_mode!r}; there are {self.metadata['render_modes']}")
        self.render_mode = render_mode
        self._session = Session(endpoint, environment, retry, keys)
        self._window: Any = None
        self._opening: dict[str, Any] = {"auxiliaries": auxiliaries, "horizon": horizon}
        self._session.open(**self._opening)
        self.observation_space, self.action_space = spaces_of(self._session.specification)
        self.metadata = {**self.metadata, "render_fps": self._session.specification.frame_rate}
        self._frame: np.ndarray | None = None
        self._has_begun = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode. Options: `level` (int), `prompt` (uint8 `[(frames,) height, width, 3]`)."""
        super().reset(seed=seed)
        if seed is None and not self._has_begun:
            seed = int(self.np_random.integers(2**63))
        options = options or {}
        if not self._session.slots:  # The environment failed, and its slot with it.
            self._session.open(**self._opening)
        batch = self._session.reset(seeds=[seed], levels=[options.get("level")], prompts=[options.get("prompt")])
        if batch.faults:
            raise batch.faults[0]
        self._has_begun = True
        self._frame = batch.observations[0].copy()
        self._show()
        return self._frame, {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One step. A fault of the environment is raised as `ServerError`."""
        batch = self._session.step([int(action)])
        if batch.faults:
            raise batch.faults[0]
        self._frame = batch.observations[0].copy()
        self._show()
        info = {name: float(values[0]) for name, values in batch.auxiliaries.items()}
        return self._frame, float(batch.rewards[0]), bool(batch.terminated[0]), bool(batch.truncated[0]), info

    def render(self) -> np.ndarray | None:
        """The last observation."""
        return self._frame if self.render_mode == "rgb_array" else None

    def snapshot(self) -> bytes:
        """The whole state of the world."""
        return self._session.snapshot()[0]

    def restore(self, snapshot: bytes) -> None:
        """Puts the world into a state that was kept; the next step goes on from there."""
        self._session.restore([snapshot])

    def _show(self) -> None:
        """Draws the frame in a window, eight times as large, in `render_mode="human"`."""
        if self.render_mode != "human" or self._frame is None:
            return
        try:
            import pygame
        except ImportError:
            raise gymnasium.error.DependencyNotInstalled("render_mode='human' needs pygame: pip install pygame") from None
        height, width = self._frame.shape[:2]
        if self._window is None:
            pygame.init()
            self._window = pygame.display.set_mode((8 * width, 8 * height))
            pygame.display.set_caption(self._session.specification.name)
        picture = pygame.surfarray.make_surface(self._frame[..., :3].swapaxes(0, 1))
        self._window.blit(pygame.transform.scale(picture, self._window.get_size()), (0, 0))
        pygame.event.pump()
        pygame.display.flip()
        pygame.time.wait(int(1000 / self.metadata["render_fps"]))

    def close(self) -> None:
        """Ends the session."""
        if self._window is not None:
            import pygame

            pygame.quit()
            self._window = None
        self._session.close()
