"""What a server tells of an environment, and what its environments give back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

import numpy as np

from .wire import MalformedMessage, ServerError


@dataclass(frozen=True)
class Box:
    """The shape of an observation."""

    height: int
    width: int
    channels: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.height, self.width, self.channels)


@dataclass(frozen=True)
class Specification:
    """What a server tells of an environment."""

    name: str
    observation: Box
    actions: int
    action_names: tuple[str, ...] = ()
    horizon: int | None = None
    frame_rate: float = 15.0
    levels: int | None = None
    prompt_limit: int = 0
    auxiliaries: tuple[str, ...] = ()
    slot_limit: int = 0

    def json(self) -> dict[str, Any]:
        """One entry of `describe`."""
        box = self.observation
        told: dict[str, Any] = {
            "name": self.name,
            "observationSpace": {"height": box.height, "width": box.width, "channels": box.channels},
            "actionSpace": {"count": self.actions, "names": list(self.action_names)},
            "horizon": self.horizon, "frameRate": self.frame_rate, "levels": self.levels,
            "promptLimit": self.prompt_limit, "auxiliaries": list(self.auxiliaries), "slotLimit": self.slot_limit,
        }  # fmt: skip
        return {key: value for key, value in told.items() if value is not None}

    @staticmethod
    def parse(value: Mapping[str, Any]) -> "Specification":
        """Reads one entry of `describe`."""
        try:
            box, actions = value["observationSpace"], value["actionSpace"]
            return Specification(
                name=str(value["name"]),
                observation=Box(int(box["height"]), int(box["width"]), int(box["channels"])),
                actions=int(actions["count"]),
                action_names=tuple(actions.get("names", ())),
                horizon=value.get("horizon"),
                frame_rate=float(value.get("frameRate", 15)),
                levels=value.get("levels"),
                prompt_limit=int(value.get("promptLimit", 0)),
                auxiliaries=tuple(value.get("auxiliaries", ())),
                slot_limit=int(value.get("slotLimit", 0)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedMessage(f"a description of an environment that is none: {error!r}") from None


@dataclass
class Batch:
    """What a reset or a step gives back, row `i` for the i-th slot of the call. Arrays may be read-only."""

    observations: np.ndarray
    """`[n, height, width, channels]`, uint8"""
    rewards: np.ndarray
    """`[n]`, float32"""
    terminated: np.ndarray
    """`[n]`, bool"""
    truncated: np.ndarray
    """`[n]`, bool"""
    faults: dict[int, ServerError] = field(default_factory=dict)
    """What went wrong in single rows, whose other values mean nothing then."""
    auxiliaries: dict[str, np.ndarray] = field(default_factory=dict)
    """`[n]`, float32, by name"""
