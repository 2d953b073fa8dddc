"""A socket to a Genie server, and how long its owner waits."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from .keys import Keys
from .specification import Specification
from .wire import (
    NO_IDENTIFIER,
    Disconnected,
    MalformedMessage,
    Message,
    Operation,
    Refused,
    ServerError,
    SessionLost,
    Status,
    TimedOut,
    decode,
)

_LARGEST_FRAME = 256 << 20
_HANDSHAKE_EVENTS = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
# Plain numbers: pyzmq's own are enumerations, which cost more to combine than a part to send.
_LAST, _MORE = int(zmq.DONTWAIT), int(zmq.DONTWAIT | zmq.SNDMORE)
_LOST = (Status.SESSION_LOST, Status.STALE, Status.GAP)


@dataclass(frozen=True)
class RetryPolicy:
    """How long a client waits. Asking again is harmless: a step happens once."""

    resend_seconds: float = 1.0
    """Without an answer for so long, the same request goes out again, with a ping."""
    silence_seconds: float = 2.5
    """Without any word for so long, the server counts as gone."""
    timeout_seconds: float = 60.0
    """One call may take so long at a server that lives."""


class Client:
    """A socket to a server that is replaced when nothing comes back. It belongs to one thread."""

    def __init__(
        self,
        endpoint: str,
        retry: RetryPolicy = RetryPolicy(),
        context: zmq.Context[Any] | None = None,
        keys: Keys | None = None,
    ):
        """Connects.

        Raises:
            Refused: where the server asks for keys that this client does not have.
        """
        self.endpoint = endpoint
        self.retry = retry
        self.keys = keys
        self._context = context or zmq.Context.instance()
        self._correlation = itertools.count(1)
        self._patience = -1
        self._socket = self._connect()

    def hello(self) -> dict[str, Any]:
        """Version, capabilities, limits and names of environments."""
        request = json.dumps({"client": "genie-python/1", "versions": [1]}).encode()
        return self._ask(Operation.HELLO, request)

    def describe(self) -> list[Specification]:
        """What environments the server has."""
        return [Specification.parse(value) for value in self._ask(Operation.DESCRIBE).get("environments", [])]

    def ping(self, epoch: int = 0, session: bytes = NO_IDENTIFIER) -> dict[str, Any]:
        """For how long the server has been busy; keeps a session alive."""
        return self._ask(Operation.PING, epoch=epoch, session=session)

    def stats(self) -> dict[str, Any]:
        """The server's counters."""
        return self._ask(Operation.STATS)

    def close(self) -> None:
        """Closes the socket; a second time does nothing."""
        if not self._socket.closed:
            self._close_socket()

    def _close_socket(self) -> None:
        self._socket.disable_monitor()
        self._socket.close(linger=0)

    def _ask(self, operation: Operation, metadata: bytes = b"", **envelope: Any) -> dict[str, Any]:
        request = Message(operation, sequence=next(self._correlation), metadata=metadata, **envelope)
        frames = self.post(request)
        reply = self.collect(request, frames)
        raise_for(reply)
        return reply.json()

    def post(self, request: Message) -> list[Any]:
        """Sends a request, if a server is connected; `collect` sees to it otherwise."""
        frames = request.frames()
        self._send(frames)
        return frames

    def collect(self, request: Message, frames: list[Any]) -> Message:
        """Waits for the answer, asking again as often as the policy says. The answer is never BUSY."""
        start = last_word = time.monotonic()
        next_send = start + self.retry.resend_seconds
        while True:
            reply = self._receive(min(next_send, last_word + self.retry.silence_seconds))
            now = time.monotonic()
            if reply is not None:
                last_word = now
                if _answers(reply, request):
                    if reply.status != Status.BUSY:
                        return reply
                    pause = reply.retry_after_ms / 1000
                    if now + pause - start > self.retry.timeout_seconds:
                        return raise_for(reply)
                    time.sleep(pause)
                    last_word = time.monotonic()
                    self._send(frames)
            if now - start >= self.retry.timeout_seconds:
                raise TimedOut(f"no answer to {Operation(request.operation).name} in {self.retry.timeout_seconds} s")
            if now - last_word >= self.retry.silence_seconds:
                raise Disconnected(f"{self.endpoint}: no word from the server for {self.retry.silence_seconds} s")
            if now >= next_send:
                # First the new one: where that is refused, the old one is still there to ask again through.
                fresh = self._connect()
                self._close_socket()
                self._socket = fresh
                self._send(frames, wait_ms=100)
                self._send(Message(Operation.PING, sequence=next(self._correlation)).frames())
                next_send = now + self.retry.resend_seconds

    def _connect(self) -> zmq.Socket[Any]:
        socket: zmq.Socket[Any] = self._context.socket(zmq.DEALER)
        self._patience = -1
        for option, value in {
            zmq.LINGER: 0, zmq.IMMEDIATE: 1, zmq.SNDHWM: 16, zmq.RCVHWM: 16, zmq.MAXMSGSIZE: _LARGEST_FRAME,
            # Room for a large batch at once: with less, the two ends' threads take turns waiting for each other.
            zmq.RCVBUF: 1 << 20,
            zmq.HEARTBEAT_IVL: 30000, zmq.HEARTBEAT_TIMEOUT: 30000, zmq.HANDSHAKE_IVL: 3000,
            zmq.RECONNECT_IVL: 50, zmq.RECONNECT_IVL_MAX: 1000, zmq.TCP_KEEPALIVE: 1,
        }.items():  # fmt: skip
            socket.setsockopt(option, value)
        socket.setsockopt(zmq.IPV6, 1 if "[" in self.endpoint else 0)
        if self.keys is not None:
            socket.curve_publickey, socket.curve_secretkey = self.keys.public, self.keys.secret
            socket.curve_serverkey = self.keys.server
        try:
            monitor = socket.get_monitor_socket(_HANDSHAKE_EVENTS)
            socket.connect(self.endpoint)
        except zmq.ZMQError as error:
            socket.close(linger=0)
            raise Disconnected(f"{self.endpoint}: {error}") from None
        try:
            self._await_handshake(socket, monitor)
        except Refused:
            socket.disable_monitor()
            socket.close(linger=0)
            raise
        return socket

    def _await_handshake(self, socket: zmq.Socket[Any], monitor: zmq.Socket[Any]) -> None:
        """Waits a little for a connection. A refusal shows nowhere but at the monitor."""
        end = time.monotonic() + min(1.0, self.retry.silence_seconds)
        poller = zmq.Poller()
        poller.register(socket, zmq.POLLOUT)
        poller.register(monitor, zmq.POLLIN)
        broken_off = 0
        while (rest := end - time.monotonic()) > 0:
            ready = dict(poller.poll(max(1, int(1000 * rest))))
            if monitor in ready:
                event = recv_monitor_message(monitor)["event"]
                if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                    raise Refused("the server does not know this client's key")
                if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
                    raise Refused("the handshake failed: does one end use keys and the other none?")
                # Without keys it is no refusal: a tunnel whose server starts anew hangs up, too.
                broken_off += self.keys is not None and event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
                if broken_off >= 2:
                    raise Refused("the server breaks off the handshake: is its public key the right one?")
            if socket in ready:
                return

    def _send(self, frames: list[Any], wait_ms: int = 0) -> None:
        try:
            for frame in frames[:-1]:
                self._socket.send(frame, _MORE)
            self._socket.send(frames[-1], _LAST)
        except zmq.Again:
            if wait_ms and self._socket.poll(wait_ms, zmq.POLLOUT):
                self._send(frames)

    def _receive(self, deadline: float) -> Message | None:
        """The next message before the deadline; what is none of the protocol is passed over."""
        # In steps, so that the socket's own patience seldom changes: setting it costs as much as a small message.
        patience = 100 * (1 + int(10 * max(0.0, deadline - time.monotonic())))
        if patience != self._patience:
            self._socket.rcvtimeo = self._patience = patience
        try:
            # Without a copy: a batch of frames is large. (recv_multipart asks the socket after every part.)
            frames = [self._socket.recv(copy=False)]
            while frames[-1].more:
                frames.append(self._socket.recv(copy=False))
        except zmq.Again:
            return None
        try:
            return decode(frames)
        except MalformedMessage:
            return None


def _answers(reply: Message, request: Message) -> bool:
    if not reply.reply or reply.operation != request.operation or reply.sequence != request.sequence:
        return False
    if reply.status == Status.CORRUPT:
        return False
    if request.session == NO_IDENTIFIER:
        return reply.nonce == request.nonce
    return reply.session == request.session


def raise_for(reply: Message) -> Message:
    """Raises the error that a reply tells, if it tells one."""
    if reply.status == Status.OK:
        return reply
    kind = SessionLost if reply.status in _LOST else ServerError
    raise kind(reply.status, reply.json())
