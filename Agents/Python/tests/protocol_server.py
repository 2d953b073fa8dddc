"""A small server, written from PROTOCOL.md alone: counting environments, for tests without the real one."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import dataclass, field

import numpy as np
import zmq

from genie_environments.wire import NO_IDENTIFIER, MalformedMessage, Message, Operation, Status, decode

SPECIFICATION = {
    "name": "Counting-v1", "observationSpace": {"height": 4, "width": 5, "channels": 3},
    "actionSpace": {"count": 6, "names": []}, "horizon": 10, "frameRate": 20, "promptLimit": 0,
    "auxiliaries": ["count"], "slotLimit": 64,
}  # fmt: skip


@dataclass
class Environment:
    """Its picture tells seed and count; the episode ends after `horizon` steps."""

    horizon: int
    seed: int = 0
    count: int = -1

    def picture(self) -> np.ndarray:
        """The observation."""
        return np.full((4, 5, 3), (self.seed * 16 + self.count) % 256, np.uint8)


@dataclass
class ServerSession:
    """What the server knows of a session."""

    environments: dict[int, Environment] = field(default_factory=dict)
    auxiliaries: list[str] = field(default_factory=list)
    accepted: int = 0
    reply: list[bytes] = field(default_factory=list)
    next_slot: int = 0


class ProtocolServer:
    """Serves on a thread. `mute` makes it execute requests without answering, as a cut network does."""

    def __init__(self) -> None:
        self._socket = zmq.Context.instance().socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        port = self._socket.bind_to_random_port("tcp://127.0.0.1")
        self.endpoint = f"tcp://127.0.0.1:{port}"
        self.epoch = int.from_bytes(os.urandom(8), "little") | 1
        self.sessions: dict[bytes, ServerSession] = {}
        self.nonces: dict[bytes, bytes] = {}
        self.executed = 0
        self.mute = 0
        self._running = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._running = False
        self._thread.join()
        self._socket.close(linger=0)

    def _serve(self) -> None:
        while self._running:
            if not self._socket.poll(20):
                continue
            peer, *frames = self._socket.recv_multipart()
            reply = self._answer(frames)
            if self.mute:
                self.mute -= 1
            else:
                self._socket.send_multipart([peer, *reply])

    def _answer(self, frames: list[bytes]) -> list[bytes]:
        try:
            request = decode(frames)
        except MalformedMessage as error:
            return self._error(Message(Operation.UNKNOWN), Status.MALFORMED, str(error))
        if request.operation in (Operation.HELLO, Operation.DESCRIBE, Operation.PING):
            return self._reply(request, {"environments": [SPECIFICATION]})
        if request.operation == Operation.OPEN and request.session == NO_IDENTIFIER:
            token = self.nonces.setdefault(request.nonce, os.urandom(16))
            self.sessions.setdefault(token, ServerSession())
            request.session = token
        elif request.epoch != self.epoch or request.session not in self.sessions:
            return self._error(request, Status.SESSION_LOST, "no such session")
        session = self.sessions[request.session]
        if request.sequence == session.accepted:
            return session.reply
        if request.sequence != session.accepted + 1:
            late = request.sequence < session.accepted
            return self._error(request, Status.STALE if late else Status.GAP, "sequence")
        session.accepted = request.sequence
        self.executed += 1
        session.reply = self._execute(request, session)
        return session.reply

    def _execute(self, request: Message, session: ServerSession) -> list[bytes]:
        if request.operation == Operation.OPEN:
            wanted = request.json()
            options = wanted.get("options", {})
            opened = list(range(session.next_slot, session.next_slot + wanted["count"]))
            session.next_slot += wanted["count"]
            for number in opened:
                session.environments[number] = Environment(options.get("horizon") or SPECIFICATION["horizon"])
            session.auxiliaries += [n for n in options.get("auxiliaries", []) if n not in session.auxiliaries]
            return self._reply(request, {"slots": opened, "auxiliaries": session.auxiliaries})
        slots = np.frombuffer(request.payloads[0], "<i4").tolist()
        if request.operation == Operation.CLOSE:
            for number in slots or list(session.environments):
                session.environments.pop(number, None)
            if not slots:
                del self.sessions[request.session]
            return self._reply(request)
        slots = slots or sorted(session.environments)
        environments = [session.environments[number] for number in slots]
        faults = [0] * len(slots)
        if request.operation == Operation.RESET:
            bits = np.frombuffer(request.payloads[1], "<u1")
            seeds = np.frombuffer(request.payloads[2], "<u8")
            for row, environment in enumerate(environments):
                environment.seed += 1
                if len(bits) and bits[row] & 1:
                    environment.seed = int(seeds[row])
                environment.count = 0
            rewards = [0.0] * len(slots)
        else:
            actions = np.frombuffer(request.payloads[1], "<i4").tolist()
            rewards = [float(action) for action in actions]
            for row, (environment, action) in enumerate(zip(environments, actions)):
                if environment.count < 0 or environment.count >= environment.horizon:
                    faults[row] = Status.NEEDS_RESET
                elif not 0 <= action < 6:
                    faults[row] = Status.INVALID_ACTION
                else:
                    environment.count += 1
        return self._batch(request, session, environments, rewards, faults)

    def _batch(
        self, request: Message, session: ServerSession, environments: list[Environment], rewards: list[float],
        faults: list[int],
    ) -> list[bytes]:  # fmt: skip
        flags = [2 if e.count >= e.horizon else 0 for e in environments]
        columns = [[e.count for e in environments] for _ in session.auxiliaries]
        told = [{"row": row, "status": code, "message": "as told"} for row, code in enumerate(faults) if code]
        payloads = [
            np.array([rewards, *columns], "<f4").tobytes() + bytes(flags) + bytes(faults),
            b"".join(e.picture().tobytes() for e in environments),
        ]
        return self._reply(request, {"faults": told} if told else None, payloads)

    def _reply(self, request: Message, metadata: dict | None = None, payloads: list[bytes] | None = None, status: int = 0):
        text = b"" if metadata is None else json.dumps(metadata).encode()
        return Message(
            request.operation, self.epoch, request.session, request.sequence, request.nonce, status, True, 0, text,
            payloads or [],
        ).frames()  # fmt: skip

    def _error(self, request: Message, status: int, words: str) -> list[bytes]:
        return self._reply(request, {"message": words}, status=status)


def wait_until(condition, seconds: float = 3.0) -> None:
    """Waits for something that another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)
