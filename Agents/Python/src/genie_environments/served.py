"""The environments of one session at a :class:`~genie_environments.server.Server`."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, field
from typing import Any, Callable

import gymnasium
import numpy as np

from .specification import Specification
from .wire import MalformedMessage, Message, ServerError, Status, array


class Failure(ServerError):
    """The same error where it is told: why a request, or one of its rows, is not done."""

    def __init__(self, status: int, words: str, **detail: Any):
        super().__init__(status, {"message": words, **detail})


@dataclass
class _Slot:
    environment: "gymnasium.Env[Any, Any]"
    horizon: int | None
    auxiliaries: tuple[str, ...]
    steps: int = 0
    running: bool = False


@dataclass
class _Row:
    observation: Any = None
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    info: dict[str, Any] = field(default_factory=dict)


@dataclass
class ServedSession:
    """What a server knows of a session."""

    token: bytes
    nonce: bytes
    slots: "Slots"
    accepted: int = 0
    reply: Message | None = None
    last_seen: float = field(default_factory=time.monotonic)


class Slots:
    """The environments of one session, by their numbers.

    Its methods take requests as they came. They raise :class:`Failure` where a request cannot be done at all, which changes
    nothing, and MalformedMessage where it is none.
    """

    def __init__(self, specification: Specification, make: Callable[[], "gymnasium.Env[Any, Any]"]):
        self._specification = specification
        self._make = make
        self._slots: dict[int, _Slot] = {}
        self._next = 0
        self._auxiliaries: list[str] = []

    def __len__(self) -> int:
        return len(self._slots)

    def open(self, wanted: dict[str, Any], room: int) -> dict[str, Any]:
        """Opens what an `open` asks for, or nothing; gives the reply's metadata."""
        name, count, options = wanted.get("environment"), wanted.get("count"), wanted.get("options") or {}
        if not isinstance(name, str) or type(count) is not int or not isinstance(options, dict):
            raise MalformedMessage("an open names an environment, a count and options")
        offered = [self._specification.name]
        if name not in offered:
            raise Failure(Status.UNKNOWN_ENVIRONMENT, f"there is no '{name}'", name=name, offered=offered)
        if count < 1:
            raise Failure(Status.INVALID_OPTION, "count is below 1", name="count", reason="it is below 1")
        auxiliaries, horizon = options.get("auxiliaries") or [], options.get("horizon")
        if not isinstance(auxiliaries, list) or not all(isinstance(one, str) for one in auxiliaries):
            raise MalformedMessage("auxiliaries are an array of names")
        for one in auxiliaries:
            if one not in self._specification.auxiliaries:
                offered = list(self._specification.auxiliaries)
                raise Failure(Status.UNKNOWN_AUXILIARY, f"there is no '{one}'", name=one, offered=offered)
        if horizon is not None and type(horizon) is not int:
            raise MalformedMessage("the horizon is a whole number")
        if horizon is not None and horizon < 1:
            raise Failure(Status.INVALID_OPTION, "the horizon is below 1", name="horizon", reason="it is below 1")
        if count > room:
            limit = self._specification.slot_limit
            raise Failure(Status.TOO_MANY_SLOTS, f"at most {limit} environments are open at a time", limit=limit)
        made: list["gymnasium.Env[Any, Any]"] = []
        try:
            made.extend(self._make() for _ in range(count))
        except Exception as error:
            for environment in made:
                environment.close()
            raise Failure(Status.FAULT, "the environment cannot be made", reason=type(error).__name__) from error
        numbers = list(range(self._next, self._next + count))
        self._next += count
        horizon = horizon or self._specification.horizon
        for number, environment in zip(numbers, made):
            self._slots[number] = _Slot(environment, horizon, tuple(auxiliaries))
        self._auxiliaries += [one for one in dict.fromkeys(auxiliaries) if one not in self._auxiliaries]
        return {"slots": numbers, "auxiliaries": self._auxiliaries}

    @staticmethod
    def numbers(request: Message) -> list[int]:
        """The slots that a request names."""
        if not request.payloads:
            raise MalformedMessage("slots are missing")
        return [int(number) for number in _integers(request.payloads[0], "<i4", "slots")]

    def close(self, numbers: list[int] | None = None) -> None:
        """Closes some, or all."""
        for number in list(self._slots) if numbers is None else numbers:
            if (slot := self._slots.pop(number, None)) is not None:
                try:
                    slot.environment.close()
                except Exception:
                    # It is of no use any more, however it takes it.
                    logging.getLogger(__name__).exception("an environment could not be closed")

    def _named(self, request: Message, payloads: int) -> list[int]:
        if len(request.payloads) != payloads:
            raise MalformedMessage(f"{len(request.payloads)} payloads, not {payloads}")
        numbers = self.numbers(request)
        for place, number in enumerate(numbers):
            if number not in self._slots:
                raise Failure(Status.UNKNOWN_SLOT, f"slot {number} is not open", slot=number)
            if number in numbers[:place]:
                raise Failure(Status.REPEATED_SLOT, f"slot {number} twice", slot=number)
        return numbers or sorted(self._slots)

    def reset(self, request: Message) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
        """The faults and the payloads of a `reset`'s reply."""
        numbers = self._named(request, 6)
        bits = _integers(request.payloads[1], "<u1", "options")
        if len(bits) == 0:
            bits = np.zeros(len(numbers), np.uint8)
        if len(request.payloads[0]) and len(bits) != len(numbers):
            raise MalformedMessage(f"{len(bits)} options for {len(numbers)} slots")
        _counted("options", len(numbers), len(bits))
        seeds = self._optional(request.payloads[2], "<u8", "seeds", bits & 1)
        levels = self._optional(request.payloads[3], "<i8", "levels", bits & 2)

        def reset(row: int, slot: _Slot) -> _Row:
            if bits[row] & 4:
                raise Failure(Status.INVALID_PROMPT, "prompts are not taken", reason="prompts are not taken")
            options: dict[str, Any] | None = None
            if bits[row] & 2:
                level, count = int(levels[row]), self._specification.levels
                if count is not None and not 0 <= level < count:
                    raise Failure(Status.UNKNOWN_LEVEL, f"level {level} of {count}", level=level, count=count)
                options = {"level": level}
            slot.running = False
            seed = int(seeds[row]) if bits[row] & 1 else None
            observation, info = slot.environment.reset(seed=seed, options=options)
            slot.steps, slot.running = 0, True
            return _Row(observation, info=info)

        return self._batch(numbers, reset)

    def step(self, request: Message) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
        """The faults and the payloads of a `step`'s reply."""
        numbers = self._named(request, 2)
        actions = _integers(request.payloads[1], "<i4", "actions")
        _counted("actions", len(numbers), len(actions))

        def step(row: int, slot: _Slot) -> _Row:
            action, count = int(actions[row]), self._specification.actions
            if not 0 <= action < count:
                raise Failure(Status.INVALID_ACTION, f"action {action} of {count}", action=action, count=count)
            if not slot.running:
                raise Failure(Status.NEEDS_RESET, "the episode has ended, or never began")
            observation, reward, terminated, truncated, info = slot.environment.step(action)
            slot.steps += 1
            truncated = bool(truncated) or (not terminated and slot.horizon is not None and slot.steps >= slot.horizon)
            slot.running = not (terminated or truncated)
            return _Row(observation, float(reward), bool(terminated), bool(truncated), info)

        return self._batch(numbers, step)

    def _batch(
        self, numbers: list[int], body: Callable[[int, _Slot], _Row]
    ) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
        count, names = len(numbers), self._auxiliaries
        numeric = np.zeros((1 + len(names), count), "<f4")
        flags, codes = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
        observations = np.zeros((count, *self._specification.observation.shape), np.uint8)
        faults: list[dict[str, Any]] = []
        for row, number in enumerate(numbers):
            slot = self._slots[number]
            try:
                result = body(row, slot)
                observations[row] = result.observation
                numeric[0, row] = result.reward
                for place, name in enumerate(names, 1):
                    numeric[place, row] = _number(result.info.get(name)) if name in slot.auxiliaries else np.nan
            except Failure as failure:
                codes[row] = failure.status
                faults.append({"row": row, "status": failure.status, **failure.detail})
                continue
            except Exception as error:
                # What the environment was in the middle of, nobody knows.
                self.close([number])
                codes[row] = Status.FAULT
                reason = f"the environment failed: {type(error).__name__}"
                faults.append({"row": row, "status": int(Status.FAULT), "message": reason, "reason": reason})
                continue
            flags[row] = int(result.terminated) | int(result.truncated) << 1
        head = np.frombuffer(numeric.tobytes() + flags.tobytes() + codes.tobytes(), np.uint8)
        return faults, [head, observations]

    @staticmethod
    def _optional(payload: Any, dtype: str, what: str, wanted: np.ndarray) -> np.ndarray:
        values = _integers(payload, dtype, what)
        if (len(values) or wanted.any()) and len(values) != len(wanted):
            raise MalformedMessage(f"{len(values)} {what} for {len(wanted)} slots")
        return values


def _number(value: Any) -> float:
    """What an environment tells beside the reward, where it is a number; the step has been taken all the same."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _integers(payload: Any, dtype: str, what: str) -> np.ndarray:
    return array(payload, dtype, len(payload) // np.dtype(dtype).itemsize, what)


def _counted(what: str, expected: int, found: int) -> None:
    if expected != found:
        raise Failure(
            Status.COUNT_MISMATCH, f"{found} {what} for {expected} slots", what=what, expected=expected, found=found
        )
