"""Sessions at a Genie server: any number of environments, stepped in one message, each step exactly once."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import time
from typing import Any, Sequence

import numpy as np

from .client import Client, RetryPolicy, raise_for
from .keys import Keys
from .specification import Batch
from .wire import (
    NO_IDENTIFIER,
    GenieError,
    MalformedMessage,
    Message,
    Operation,
    ServerError,
    SessionLost,
    Status,
    array,
)

_FLOAT = np.dtype("<f4")


class Session:
    """Environments of one kind at a server. It belongs to one thread.

    After `Disconnected` or `TimedOut` the same call again resumes where it was; another call first sees the
    unanswered one through.
    """

    def __init__(
        self,
        endpoint: str,
        environment: str | None = None,
        retry: RetryPolicy = RetryPolicy(),
        keys: Keys | None = None,
    ):
        """Connects and finds the environment; without a name, the only one that the server has."""
        self.client = Client(endpoint, retry, keys=keys)
        hello = self.client.hello()
        self._can_resume = "resume" in hello.get("capabilities", [])
        self._frame_bytes = hello.get("limits", {}).get("frameBytes", 16 << 20)
        offered = self.client.describe()
        found = [e for e in offered if e.name == environment or (environment is None and len(offered) == 1)]
        if not found:
            names = [e.name for e in offered]
            detail = {"message": f"no environment '{environment}'; offered: {names}", "offered": names}
            raise ServerError(Status.UNKNOWN_ENVIRONMENT, detail)
        self.specification = found[0]
        self.slots: list[int] = []
        self._auxiliaries: list[str] = []
        self._epoch = 0
        self._token = NO_IDENTIFIER
        self._sequence = 0
        self._pending: tuple[Message, list[Any]] | None = None
        self._asked: list[int] = []

    def open(self, count: int = 1, *, auxiliaries: Sequence[str] = (), horizon: int | None = None) -> list[int]:
        """Opens environments and returns the numbers of their slots."""
        options: dict[str, Any] = {"auxiliaries": list(auxiliaries)}
        if horizon is not None:
            options["horizon"] = int(horizon)
        request = {"environment": self.specification.name, "count": count, "options": options}
        reply = self._call(Operation.OPEN, json.dumps(request).encode()).json()
        opened: list[int] = reply["slots"]
        self.slots += opened
        self._auxiliaries = reply["auxiliaries"]
        return opened

    def reset(
        self,
        slots: Sequence[int] | None = None,
        *,
        seeds: Sequence[int | None] | None = None,
        levels: Sequence[int | None] | None = None,
        prompts: Sequence[np.ndarray | None] | None = None,
    ) -> Batch:
        """Starts episodes in some slots, or all. Prompts are uint8 `[(frames,) height, width, 3]`."""
        if _is_empty(slots):
            return self._nothing()
        rows = len(self.slots) if slots is None else len(slots)
        columns: list[list[Any]] = [list(c) if c is not None else [None] * rows for c in (seeds, levels, prompts)]
        if any(len(c) != rows for c in columns):
            raise ValueError(f"{rows} slots, and options for {[len(c) for c in columns]}")
        bits = [sum(1 << i for i, c in enumerate(columns) if c[row] is not None) for row in range(rows)]
        given = 0
        for bit in bits:
            given |= bit
        seed_column = [0 if s is None else int(s) % 2**64 for s in columns[0]] if given & 1 else []
        level_column = [0 if level is None else int(level) for level in columns[1]] if given & 2 else []
        pictures = [_frames_of(p) for p in columns[2] if p is not None]
        payloads = [
            self._numbers(slots),
            np.array(bits if given else [], "<u1").tobytes(),
            np.array(seed_column, "<u8").tobytes(),
            np.array(level_column, "<i8").tobytes(),
            np.array([p.shape[:3] for p in pictures], "<u4").tobytes(),
            b"".join(p.tobytes() for p in pictures),
        ]
        self._post(Operation.RESET, b"", payloads)
        self._asked = self.slots if slots is None else list(slots)
        return self._batch(self._finish())

    def step(self, actions: Sequence[int] | np.ndarray, slots: Sequence[int] | None = None) -> Batch:
        """Steps some slots, or all, once."""
        if _is_empty(slots) and len(actions) == 0:
            return self._nothing()
        self.send(actions, slots)
        return self.receive()

    def send(self, actions: Sequence[int] | np.ndarray, slots: Sequence[int] | None = None) -> None:
        """Sends a step without waiting; `receive` brings its answer."""
        if _is_empty(slots):
            raise ValueError("a step of no slots")
        self._post(Operation.STEP, b"", [self._numbers(slots), np.asarray(actions, "<i4").tobytes()])
        self._asked = self.slots if slots is None else list(slots)

    def receive(self) -> Batch:
        """Waits for the answer to the step that was sent."""
        if self._pending is None or self._pending[0].operation != Operation.STEP:
            raise GenieError("no step was sent")
        return self._batch(self._finish())

    def snapshot(self, slots: Sequence[int] | None = None) -> list[bytes]:
        """The whole state of some slots, or all, each as bytes that name what they can be restored into."""
        if _is_empty(slots):
            return []
        reply = self._call(Operation.SNAPSHOT, b"", [self._numbers(slots)])
        if len(reply.payloads) != 2:
            raise MalformedMessage(f"{len(reply.payloads)} payloads of snapshots")
        rows = len(self.slots) if slots is None else len(slots)
        ends = np.cumsum(array(reply.payloads[0], "<u8", rows, "lengths")).tolist()
        blobs = bytes(reply.payloads[1])
        if (ends[-1] if ends else 0) != len(blobs):
            raise MalformedMessage("the lengths of the snapshots do not add up")
        return [blobs[begin:end] for begin, end in zip([0, *ends], ends)]

    def restore(self, snapshots: Sequence[bytes], slots: Sequence[int] | None = None) -> None:
        """Puts some slots, or all, into states that were kept: all of them, or none."""
        if _is_empty(slots):
            if snapshots:
                raise ValueError(f"no slots, and {len(snapshots)} snapshots")
            return
        lengths = np.array([len(blob) for blob in snapshots], "<u8").tobytes()
        self._call(Operation.RESTORE, b"", [self._numbers(slots), lengths, b"".join(snapshots)])

    def fork(self, slot: int, count: int = 1) -> list[int]:
        """Opens `count` slots in the state of another."""
        if count < 1:
            return []
        reply = self._call(Operation.FORK, b"", [np.full(count, slot, "<i4").tobytes()]).json()
        opened: list[int] = reply["slots"]
        self.slots += opened
        return opened

    def close_slots(self, slots: Sequence[int]) -> None:
        """Closes some slots; the session goes on."""
        if len(slots) == 0:
            return
        self._post(Operation.CLOSE, b"", [np.array(slots, "<i4").tobytes()])
        # Also where nobody waits for the answer: another call sees it through.
        self.slots = [slot for slot in self.slots if slot not in set(slots)]
        self._finish()

    def ping(self) -> dict[str, Any]:
        """Keeps the session alive through a long pause."""
        return self.client.ping(self._epoch, self._token)

    def close(self) -> None:
        """Ends the session. An unreachable server forgets it by itself after a while."""
        if self._token != NO_IDENTIFIER and self._pending is None:
            request = Message(
                Operation.CLOSE, self._epoch, self._token, self._sequence + 1, payloads=[b""]
            )  # fmt: skip
            self.client.post(request)
            self.client._receive(time.monotonic() + 0.2)
        self._token = NO_IDENTIFIER
        self.client.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _numbers(self, slots: Sequence[int] | None) -> bytes:
        return b"" if slots is None or list(slots) == self.slots else np.array(slots, "<i4").tobytes()

    def _call(self, operation: Operation, metadata: bytes = b"", payloads: Sequence[bytes] = ()) -> Message:
        self._post(operation, metadata, payloads)
        return self._finish()

    def _post(self, operation: Operation, metadata: bytes, payloads: Sequence[bytes]) -> None:
        """Puts a request on its way, or finds it there already.

        Raises:
            ServerError: TOO_LARGE, with nothing sent. The server would hang up on it without a word, every time it is sent.
        """
        if (size := max(map(len, payloads), default=0)) > self._frame_bytes:
            words = f"{size} bytes in one message, the server takes {self._frame_bytes}: name fewer slots"
            raise ServerError(Status.TOO_LARGE, {"message": words, "limit": self._frame_bytes})
        if self._pending is not None:
            waiting = self._pending[0]
            if (waiting.operation, waiting.metadata, list(waiting.payloads)) == (operation, metadata, list(payloads)):
                return
            try:
                self._abandon()
            except ServerError as error:
                if isinstance(error, SessionLost):
                    raise
        nonce = NO_IDENTIFIER
        if self._token == NO_IDENTIFIER:
            if operation != Operation.OPEN:
                raise GenieError("nothing is open")
            nonce = os.urandom(16)
        request = Message(
            operation, self._epoch, self._token, self._sequence + 1, nonce, metadata=metadata, payloads=payloads
        )
        self._pending = (request, self.client.post(request))

    def _abandon(self) -> None:
        """Sees a request through that nobody waits for any more."""
        assert self._pending is not None
        reply = self._finish()
        if reply.operation in (Operation.OPEN, Operation.FORK):
            opened = reply.json()
            self._auxiliaries = opened["auxiliaries"]
            self._call(Operation.CLOSE, b"", [np.array(opened["slots"], "<i4").tobytes()])

    def _resume(self, epoch: int) -> bool:
        """Takes the session up at a server that was started anew, where that keeps sessions."""
        if self._token == NO_IDENTIFIER or epoch == self._epoch or not self._can_resume:
            return False
        resume = Message(Operation.RESUME, epoch, self._token, next(self.client._correlation))
        if self.client.collect(resume, self.client.post(resume)).status != Status.OK:
            return False
        self._epoch = epoch
        return True

    def _finish(self) -> Message:
        assert self._pending is not None
        request, frames = self._pending
        reply = self.client.collect(request, frames)
        if reply.status == Status.SESSION_LOST and self._resume(reply.epoch):
            request = dataclasses.replace(request, epoch=self._epoch)
            self._pending = (request, self.client.post(request))
            reply = self.client.collect(*self._pending)
        self._pending = None
        if reply.status == Status.OK and self._token == NO_IDENTIFIER:
            self._token, self._epoch = reply.session, reply.epoch
        if self._token != NO_IDENTIFIER and (reply.status == Status.OK or reply.status >= Status.UNKNOWN_SLOT):
            self._sequence = request.sequence
        return raise_for(reply)

    def _nothing(self) -> Batch:
        """The answer for no slots."""
        none = np.zeros(0, bool)
        return Batch(
            np.zeros((0, *self.specification.observation.shape), np.uint8), np.zeros(0, np.float32),
            none, none.copy(), auxiliaries={name: np.zeros(0, np.float32) for name in self._auxiliaries},
        )  # fmt: skip

    def _batch(self, reply: Message) -> Batch:
        rows, shape = len(self._asked), self.specification.observation.shape
        if len(reply.payloads) != 2:
            raise MalformedMessage(f"{len(reply.payloads)} payloads in a batch")
        # Rewards and auxiliaries, f32; flags and faults, u8.
        outcomes = bytes(reply.payloads[0])
        columns, split = 1 + len(self._auxiliaries), 4 * rows * (1 + len(self._auxiliaries))
        if len(outcomes) != split + 2 * rows:
            raise MalformedMessage(f"outcomes: {len(outcomes)} bytes are not those of {rows} rows")
        values = np.frombuffer(outcomes, _FLOAT, columns * rows).reshape(columns, rows)
        flags, faults = outcomes[split : split + rows], outcomes[split + rows :]
        bits = np.frombuffer(flags, np.uint8)
        batch = Batch(
            array(reply.payloads[1], "<u1", rows * math.prod(shape), "observations").reshape(rows, *shape),
            values[0],
            (bits & 1) != 0,
            (bits & 2) != 0,
        )
        if self._auxiliaries:
            batch.auxiliaries = dict(zip(self._auxiliaries, values[1:]))
        if faults.count(0) != rows:
            explained = {fault.get("row"): fault for fault in reply.json().get("faults", [])}
            for row, code in enumerate(faults):
                if code:
                    batch.faults[row] = ServerError(code, explained.get(row, {}))
            # The environment itself failed: its slot is gone.
            gone = {slot for slot, code in zip(self._asked, faults) if code == Status.FAULT}
            self.slots = [slot for slot in self.slots if slot not in gone]
        return batch


def _is_empty(slots: Sequence[int] | None) -> bool:
    """Whether a call is for no slot at all, which a message cannot say: there it means all of them."""
    return slots is not None and len(slots) == 0


def _frames_of(prompt: np.ndarray) -> np.ndarray:
    """A prompt as `[frames, height, width, 3]`, uint8."""
    pixels = np.ascontiguousarray(prompt)
    if pixels.ndim == 3:
        pixels = pixels[None]
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3:
        raise ValueError(f"a prompt is uint8 [(frames,) height, width, 3], not {pixels.dtype} {prompt.shape}")
    return pixels
