"""Gymnasium environments, served to agents in any language (Sources/WireProtocol/PROTOCOL.md)."""

from __future__ import annotations

import json
import logging
import math
import os
import threading
import time
from collections import deque
from typing import Any, Callable, Sequence

import gymnasium
import numpy as np
import zmq

from .served import Failure, ServedSession, Slots
from .specification import Box, Specification
from .wire import (
    NO_IDENTIFIER, VERSION, GenieError, MalformedMessage, Message, Operation, Status, decode, peek,
)  # fmt: skip

_FRAME_BYTES, _REPLY_BYTES, _METADATA_BYTES, _PAYLOADS = 16 << 20, 256 << 20, 64 << 10, 16
_SESSIONS, _WAITING_REQUESTS, _WAITING_REPLIES = 1024, 1024, 4
# A request that takes longer is slow: only then does the second thread go to the socket.
_SLOW_SECONDS = 0.05


class Server:
    """Serves copies of one environment: every slot of every session is a copy of its own.

    One thread does all but answer pings while it is busy: what others ask waits for the environment that is being stepped. A step
    happens exactly once, whatever the network does; a session outlives its connection.

    Args:
        make: makes one environment, with observations of uint8 ``[height, width, channels]`` and a discrete action space
            from 0. What ``reset(seed=...)`` and ``reset(options={"level": n})`` mean is its own matter.
        name: what agents know it by.
        endpoint: where to bind: ``ipc://`` or a loopback address; ``tcp://127.0.0.1:*`` finds a free port.
        auxiliaries: numbers in the environment's `info` that agents may ask for.
        levels: how many levels there are, where they are counted.
        slot_limit: environments of all sessions together; fewer where one reply (256 MiB) cannot hold their observations.
        session_seconds: how long a session is kept that sends nothing.

    Raises:
        GenieError: where the environment has other spaces, or the endpoint is open to other machines or cannot be bound.
    """

    def __init__(
        self, make: Callable[[], "gymnasium.Env[Any, Any]"], name: str, endpoint: str = "tcp://127.0.0.1:*", *,
        action_names: Sequence[str] = (), auxiliaries: Sequence[str] = (), horizon: int | None = None,
        frame_rate: float = 15.0, levels: int | None = None, slot_limit: int = 256, session_seconds: float = 300,
    ):  # fmt: skip
        if not endpoint.startswith(("ipc://", "tcp://127.0.0.1:", "tcp://[::1]:")):
            raise GenieError(f"{endpoint}: only ipc:// and loopback addresses are served")
        self.specification = _specification(make, name, action_names, auxiliaries, horizon, frame_rate, levels, slot_limit)
        self.session_seconds = session_seconds
        self.epoch = int.from_bytes(os.urandom(8), "little") | 1
        self._make = make
        self._sessions: dict[bytes, ServedSession] = {}
        self._nonces: dict[bytes, bytes] = {}
        self._counters = {"requests": 0, "steps": 0, "resets": 0, "malformed": 0, "undelivered": 0}
        self._running = True
        # Of two threads, the one that has the turn uses the socket, and what the second puts aside for the first.
        self._turn = threading.Lock()
        self._busy_since: float | None = None
        self._waiting: deque[list[bytes]] = deque()
        self._thread: threading.Thread | None = None
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
        for option, value in {
            zmq.LINGER: 500, zmq.ROUTER_MANDATORY: 1, zmq.ROUTER_HANDOVER: 1, zmq.MAXMSGSIZE: _FRAME_BYTES,
            zmq.SNDHWM: _WAITING_REPLIES, zmq.RCVHWM: 64, zmq.IPV6: int("[" in endpoint),
        }.items():  # fmt: skip
            self._socket.setsockopt(option, value)
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self._socket.close(linger=0)
            raise GenieError(f"cannot bind {endpoint}: {error}") from None
        self.endpoint: str = self._socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    def start(self) -> "Server":
        """Serves on a thread of its own, until :meth:`stop`."""
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends serving once the request in hand is answered, and closes all environments. From any thread."""
        self._running = False
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def run(self) -> None:
        """Serves until :meth:`stop`, or an interrupt."""
        swept = time.monotonic()
        attendant = threading.Thread(target=self._attend, daemon=True)
        attendant.start()
        try:
            while self._running:
                with self._turn:
                    request = self._waiting.popleft() if self._waiting else self._receive(50)
                if request is not None:
                    self._busy_since = time.monotonic()
                    reply = self._answer(request[1:])
                    self._busy_since = None
                    with self._turn:
                        self._send(request[0], reply)
                if time.monotonic() - swept > 1:
                    swept = time.monotonic()
                    self._sweep(swept)
        finally:
            self._running = False
            attendant.join()
            for token in list(self._sessions):
                self._forget(token)
            self._socket.close()

    def _attend(self) -> None:
        """Answers pings while a slow environment is at work, which would else be taken for a dead server; all else waits."""
        while self._running:
            time.sleep(_SLOW_SECONDS)
            if self._busy_seconds() < _SLOW_SECONDS:
                continue
            with self._turn:
                while len(self._waiting) < _WAITING_REQUESTS and (request := self._receive(0)) is not None:
                    if len(request) > 1 and peek(request[1]).operation == Operation.PING:
                        self._send(request[0], self._answer(request[1:]))
                    else:
                        self._waiting.append(request)

    def _busy_seconds(self) -> float:
        """For how long the request in hand has been worked at."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def _receive(self, milliseconds: int) -> list[bytes] | None:
        """The next message with its peer before it, where one comes in time."""
        if not self._socket.poll(milliseconds):
            return None
        self._counters["requests"] += 1
        return self._socket.recv_multipart()

    def _send(self, peer: bytes, message: Message) -> None:
        try:
            self._socket.send_multipart([peer, *message.frames()], flags=zmq.NOBLOCK, copy=True)
        except zmq.ZMQError:
            # The peer is gone, or does not read: it can ask again.
            self._counters["undelivered"] += 1

    def _sweep(self, now: float) -> None:
        for token, session in list(self._sessions.items()):
            if now - session.last_seen > self.session_seconds:
                self._forget(token)

    def _forget(self, token: bytes) -> None:
        session = self._sessions.pop(token)
        self._nonces.pop(session.nonce, None)
        session.slots.close()

    def _answer(self, frames: list[bytes]) -> Message:
        request = peek(frames[0]) if frames else Message(Operation.UNKNOWN)
        try:
            if len(frames) > _PAYLOADS + 2:
                raise MalformedMessage(f"{len(frames) - 2} payloads, at most {_PAYLOADS}")
            request = decode(frames)
            if request.reply:
                raise MalformedMessage("a reply, sent to a server")
            if len(request.metadata) > _METADATA_BYTES:
                raise Failure(Status.TOO_LARGE, f"metadata of {len(request.metadata)} bytes, at most {_METADATA_BYTES}")
            return self._dispatch(request)
        except MalformedMessage as error:
            self._counters["malformed"] += 1
            detail = {"versions": [VERSION]} if error.status == Status.UNSUPPORTED_VERSION else {}
            return self._error(request, Failure(error.status, str(error), **detail))
        except Failure as failure:
            return self._error(request, failure)
        except Exception:
            # A fault of this server costs one request, not the sessions of all.
            logging.getLogger(__name__).exception("a request could not be answered")
            return self._error(request, Failure(Status.INTERNAL, "the server failed"))

    def _dispatch(self, request: Message) -> Message:
        operation = request.operation
        if operation == Operation.HELLO:
            return self._reply(request, {
                "server": "genie-python", "versions": [VERSION], "capabilities": [],
                "environments": [self.specification.name], "sessionSeconds": self.session_seconds,
                "limits": {
                    "frameBytes": _FRAME_BYTES, "replyBytes": _REPLY_BYTES, "metadataBytes": _METADATA_BYTES,
                    "payloads": _PAYLOADS, "sessions": _SESSIONS, "slotsPerSession": self.specification.slot_limit,
                    "queuedRequests": _WAITING_REQUESTS,
                },
            })  # fmt: skip
        if operation == Operation.DESCRIBE:
            return self._reply(request, {"environments": [self.specification.json()]})
        if operation == Operation.STATS:
            return self._reply(request, {**self._counters, "sessions": len(self._sessions)})
        if operation == Operation.PING:
            if request.session != NO_IDENTIFIER:
                self._session(request)
            busy = int(1000 * self._busy_seconds())
            told = {"busyMilliseconds": busy, "queued": len(self._waiting), "sessions": len(self._sessions)}
            return self._reply(request, told)
        if operation not in (Operation.OPEN, Operation.RESET, Operation.STEP, Operation.CLOSE):
            raise Failure(Status.UNKNOWN_OPERATION, f"operation {operation}")
        if operation == Operation.OPEN and request.session == NO_IDENTIFIER:
            return self._begin(request)
        session = self._session(request)
        if request.sequence == session.accepted:
            if session.reply is None or session.reply.operation != operation:
                raise Failure(Status.STALE, "this sequence was another operation")
            return session.reply
        if request.sequence != session.accepted + 1:
            late = request.sequence < session.accepted
            raise Failure(Status.STALE if late else Status.GAP, f"sequence {request.sequence} after {session.accepted}")
        return self._execute(request, session)

    def _session(self, request: Message) -> ServedSession:
        session = self._sessions.get(request.session) if request.epoch == self.epoch else None
        if session is None:
            raise Failure(Status.SESSION_LOST, "there is no such session")
        session.last_seen = time.monotonic()
        return session

    def _begin(self, request: Message) -> Message:
        if request.nonce == NO_IDENTIFIER or request.sequence != 1:
            raise MalformedMessage("an open that starts a session has a nonce and sequence 1")
        if (token := self._nonces.get(request.nonce)) is not None:
            session = self._sessions[token]
            session.last_seen = time.monotonic()
            if session.accepted != 1 or session.reply is None:
                raise Failure(Status.STALE, "the session has gone on")
            return session.reply
        if len(self._sessions) >= _SESSIONS:
            raise Failure(Status.BUSY, f"{_SESSIONS} sessions")
        session = ServedSession(os.urandom(16), request.nonce, Slots(self.specification, self._make))
        request.session = session.token
        try:
            reply = self._execute(request, session)
        except (Failure, MalformedMessage):
            request.session = NO_IDENTIFIER
            raise
        if reply.status == Status.OK:
            self._sessions[session.token] = session
            self._nonces[session.nonce] = session.token
        else:
            reply.session = NO_IDENTIFIER
        return reply

    def _execute(self, request: Message, session: ServedSession) -> Message:
        """Does what is asked; errors of environments use up the sequence number, errors of the protocol do not."""
        try:
            if request.operation == Operation.OPEN:
                taken = sum(len(other.slots) for other in self._sessions.values())
                reply = self._reply(request, session.slots.open(request.json(), self.specification.slot_limit - taken))
            elif request.operation == Operation.CLOSE:
                numbers = session.slots.numbers(request)
                if not numbers:
                    self._forget(session.token)
                    return self._reply(request)
                session.slots.close(numbers)
                reply = self._reply(request)
            else:
                is_step = request.operation == Operation.STEP
                faults, payloads = session.slots.step(request) if is_step else session.slots.reset(request)
                rows = payloads[1].shape[0]
                self._counters["steps" if is_step else "resets"] += rows
                reply = self._reply(request, {"faults": faults} if faults else None, [p.tobytes() for p in payloads])
        except Failure as failure:
            if failure.status < Status.UNKNOWN_SLOT:
                raise
            reply = self._error(request, failure)
        except MalformedMessage:
            raise
        except Exception as error:
            # Environments may have moved: the number is used up, so that the same request cannot move them again.
            logging.getLogger(__name__).exception("a request failed half-way")
            reply = self._error(request, Failure(Status.FAULT, "the server failed half-way", reason=type(error).__name__))
        session.accepted = request.sequence
        session.reply = reply
        return reply

    def _reply(
        self, request: Message, metadata: dict[str, Any] | None = None, payloads: Sequence[bytes] = (), status: int = 0,
    ) -> Message:  # fmt: skip
        text = b"" if metadata is None else json.dumps(metadata).encode()
        return Message(
            request.operation, self.epoch, request.session, request.sequence, request.nonce, status, True,
            50 if status == Status.BUSY else 0, text, payloads,
        )  # fmt: skip

    def _error(self, request: Message, failure: Failure) -> Message:
        return self._reply(request, failure.detail, status=failure.status)


def _specification(
    make: Callable[[], "gymnasium.Env[Any, Any]"], name: str, action_names: Sequence[str], auxiliaries: Sequence[str],
    horizon: int | None, frame_rate: float, levels: int | None, slot_limit: int,
) -> Specification:  # fmt: skip
    environment = make()
    try:
        observation, action = environment.observation_space, environment.action_space
        if not isinstance(observation, gymnasium.spaces.Box) or observation.dtype != np.uint8 or len(observation.shape) != 3:
            raise GenieError(f"{name}: observations are {observation}; uint8 [height, width, channels] can be served")
        if not isinstance(action, gymnasium.spaces.Discrete) or action.start != 0:
            raise GenieError(f"{name}: actions are {action}; Discrete from 0 can be served")
        return Specification(
            name, Box(*observation.shape), int(action.n), tuple(action_names), horizon, frame_rate, levels,
            auxiliaries=tuple(auxiliaries), slot_limit=min(slot_limit, _REPLY_BYTES // math.prod(observation.shape)),
        )  # fmt: skip
    finally:
        environment.close()
