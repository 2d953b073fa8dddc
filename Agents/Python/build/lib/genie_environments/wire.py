"""Messages of the Genie wire protocol (Sources/WireProtocol/PROTOCOL.md), as bytes and back."""

from __future__ import annotations

import enum
import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

import numpy as np

MAGIC = b"GENI"
VERSION = 1
NO_IDENTIFIER = bytes(16)
_HEAD = struct.Struct("<4sHBBHHIQ16sQ16sI")
_CHECKSUM = struct.Struct("<I")
ENVELOPE_BYTES = _HEAD.size + _CHECKSUM.size


class Operation(enum.IntEnum):
    """What a message asks for."""

    UNKNOWN = 0
    HELLO = 1
    DESCRIBE = 2
    OPEN = 3
    RESET = 4
    STEP = 5
    CLOSE = 6
    PING = 7
    STATS = 8
    SNAPSHOT = 9
    RESTORE = 10
    FORK = 11
    RESUME = 12


class Status(enum.IntEnum):
    """How a request went; from 32 on: environment errors, which use up a sequence number."""

    OK = 0
    MALFORMED = 1
    UNSUPPORTED_VERSION = 2
    UNKNOWN_OPERATION = 3
    CORRUPT = 4
    TOO_LARGE = 5
    STALE = 6
    GAP = 7
    SESSION_LOST = 8
    BUSY = 9
    REFUSED = 10
    INTERNAL = 11
    UNKNOWN_SLOT = 32
    REPEATED_SLOT = 33
    TOO_MANY_SLOTS = 34
    COUNT_MISMATCH = 35
    INVALID_ACTION = 36
    NEEDS_RESET = 37
    UNKNOWN_LEVEL = 38
    UNKNOWN_AUXILIARY = 39
    INVALID_OPTION = 40
    INVALID_PROMPT = 41
    UNKNOWN_ENVIRONMENT = 42
    UNSUPPORTED = 43
    DISCONNECTED = 44
    TIMED_OUT = 45
    FAULT = 46
    UPSTREAM_LOST = 47
    UPSTREAM_BUSY = 48
    UPSTREAM_REFUSED = 49
    INVALID_SNAPSHOT = 50


class GenieError(Exception):
    """Everything that can go wrong between an agent and an environment."""


class MalformedMessage(GenieError):
    """What came in is not a message of this protocol; `status` is what a server answers."""

    def __init__(self, words: str, status: int = Status.MALFORMED):
        super().__init__(words)
        self.status = int(status)


class ServerError(GenieError):
    """An error that the server told: its status, and the data that came with it."""

    def __init__(self, status: int, detail: Mapping[str, Any]):
        name = Status(status).name if status in Status._value2member_map_ else f"status {status}"
        words = str(detail.get("message", "no explanation"))
        super().__init__(words if words.startswith(name) else f"{name}: {words}")
        self.status = status
        self.detail = dict(detail)


class SessionLost(ServerError):
    """The session is gone at the server, and its episodes with it."""


class Disconnected(GenieError):
    """The server cannot be reached, or went away."""


class Refused(GenieError):
    """The server does not let this client in: keys are missing, wrong, or not on its list."""


class TimedOut(GenieError):
    """The server lives, but did not answer in time."""


@dataclass(slots=True)
class Message:
    """A whole message: the envelope's fields, metadata, payloads."""

    operation: int
    epoch: int = 0
    session: bytes = NO_IDENTIFIER
    sequence: int = 0
    nonce: bytes = NO_IDENTIFIER
    status: int = 0
    reply: bool = False
    retry_after_ms: int = 0
    metadata: bytes = b""
    payloads: Sequence[Any] = ()
    """Anything of bytes whose `len` is their number."""

    def json(self) -> dict[str, Any]:
        """The metadata as a dictionary."""
        try:
            value = json.loads(self.metadata) if self.metadata else {}
        except (ValueError, RecursionError) as error:
            raise MalformedMessage(f"metadata is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise MalformedMessage("metadata is not an object")
        return value

    def frames(self) -> list[Any]:
        """The frames as they are sent."""
        head = _HEAD.pack(
            MAGIC, VERSION, self.operation, self.status, int(self.reply), len(self.payloads),
            self.retry_after_ms, self.epoch, self.session, self.sequence, self.nonce, 0,
        )  # fmt: skip
        checksum = _checksum(head, self.metadata, self.payloads)
        return [head + _CHECKSUM.pack(checksum), self.metadata, *self.payloads]


def _checksum(head: bytes, metadata: bytes, payloads: Sequence[Any]) -> int:
    lengths = struct.pack(f"<{len(payloads)}Q", *map(len, payloads))
    return zlib.crc32(head + metadata + lengths)


def decode(frames: Sequence[Any]) -> Message:
    """Reads what came in.

    Raises:
        MalformedMessage: for anything that is not a message of this protocol and version.
    """
    if len(frames) < 2:
        raise MalformedMessage(f"{len(frames)} frames; envelope and metadata are needed")
    envelope = bytes(frames[0])
    if len(envelope) != ENVELOPE_BYTES or not envelope.startswith(MAGIC):
        raise MalformedMessage(f"{len(envelope)} bytes that are not an envelope")
    head = envelope[: _HEAD.size]
    (_, version, operation, status, flags, count, retry_after, epoch, session, sequence, nonce, _) = _HEAD.unpack(head)
    if version != VERSION:
        raise MalformedMessage(f"protocol version {version}; {VERSION} is spoken here", Status.UNSUPPORTED_VERSION)
    metadata, payloads = bytes(frames[1]), list(frames[2:])
    if count != len(payloads):
        raise MalformedMessage(f"{len(payloads)} payloads, and the envelope says {count}")
    if _CHECKSUM.unpack_from(envelope, _HEAD.size)[0] != _checksum(head, metadata, payloads):
        raise MalformedMessage("the checksum is wrong", Status.CORRUPT)
    return Message(
        operation, epoch, session, sequence, nonce, status, bool(flags & 1), retry_after, metadata, payloads
    )


def peek(frame: Any) -> Message:
    """What an envelope says that may belong to a broken message, for the error that answers it: as much as can be told."""
    envelope = bytes(frame)
    if len(envelope) != ENVELOPE_BYTES or not envelope.startswith(MAGIC):
        return Message(Operation.UNKNOWN)
    (_, _, operation, _, _, _, _, epoch, session, sequence, nonce, _) = _HEAD.unpack(envelope[: _HEAD.size])
    return Message(operation, epoch, session, sequence, nonce)


def array(payload: Any, dtype: np.dtype[Any] | str, count: int, what: str) -> np.ndarray:
    """A payload as a flat array of ``count`` numbers, without a copy."""
    try:
        values = np.frombuffer(payload, dtype)
    except ValueError as error:
        raise MalformedMessage(f"{what}: {error}") from None
    if len(values) != count:
        raise MalformedMessage(f"{what}: {len(values)} numbers, not {count}")
    return values
