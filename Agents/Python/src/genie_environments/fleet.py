"""Environments spread over several Genie servers, with the face of one session."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from .client import RetryPolicy
from .keys import Keys
from .session import Session
from .specification import Batch, Specification
from .wire import Disconnected, GenieError, Refused, ServerError, SessionLost, Status


def connect(
    endpoint: str | Sequence[str], environment: str | None, retry: RetryPolicy, keys: Keys | None
) -> "Session | Fleet":
    """A session at one endpoint, or a fleet over several."""
    if isinstance(endpoint, str):
        return Session(endpoint, environment, retry, keys)
    return Fleet(endpoint, environment, retry, keys)


class Fleet:
    """Environments of one kind at several servers that offer the same.

    A new environment is opened where there are fewest, and a step goes to all servers at once. Where a server dies, or has lost
    its session, the episodes there are lost: their rows of that step have a `SessionLost` among the batch's faults, and their
    environments are opened again at the other servers, where they wait for a reset. A server that is gone is left alone until
    `rejoin`, or until no other is left.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        environment: str | None = None,
        retry: RetryPolicy = RetryPolicy(),
        keys: Keys | None = None,
    ):
        """Connects to all; those that do not answer may come later, as long as one does.

        Raises:
            Disconnected: where none answers.
            Refused: where they do not offer the same, or one does not let this client in.
            ServerError: where one has no such environment.
        """
        if not endpoints:
            raise ValueError("a fleet needs an endpoint")
        self._endpoints = list(endpoints)
        self._environment, self._retry, self._keys = environment, retry, keys
        self._sessions: list[Session | None] = [None] * len(self._endpoints)
        self._offered: Specification | None = None
        self._next = 0
        self.slots: list[int] = []
        self._options: dict[int, dict[str, Any]] = {}
        self._places: dict[int, tuple[int, int] | None] = {}
        # Slots whose environments were opened again: a new one begins with the same episodes as any other.
        self._anew: set[int] = set()
        self._sent: tuple[list[int], list[tuple[int, list[int]]]] | None = None
        failures = [f for f in map(self._connect, range(len(self._endpoints))) if f is not None]
        # Who is silent may come later; who says no means it.
        final = [failure for failure in failures if not isinstance(failure, Disconnected)]
        if final or self._offered is None:
            self.close()
            raise (final or failures)[0]
        self.specification: Specification = self._offered

    @property
    def load(self) -> dict[str, int]:
        """The servers that answer, and how many environments each has."""
        counts = self._counts()
        return {e: counts[i] for i, e in enumerate(self._endpoints) if self._sessions[i] is not None}

    def rejoin(self) -> None:
        """Tries the servers again that were gone. What is open stays where it is."""
        for index, session in enumerate(self._sessions):
            if session is None:
                self._connect(index)

    def open(self, count: int = 1, *, auxiliaries: Sequence[str] = (), horizon: int | None = None) -> list[int]:
        """Opens environments and returns the numbers of their slots."""
        new = list(range(self._next, self._next + count))
        self._next += count
        self.slots += new
        self._options.update(dict.fromkeys(new, {"auxiliaries": tuple(auxiliaries), "horizon": horizon}))
        self._places.update(dict.fromkeys(new))
        try:
            self._place(new)
        except Exception:
            self.close_slots(new)
            raise
        return new

    def reset(
        self,
        slots: Sequence[int] | None = None,
        *,
        seeds: Sequence[int | None] | None = None,
        levels: Sequence[int | None] | None = None,
        prompts: Sequence[np.ndarray | None] | None = None,
    ) -> Batch:
        """Starts episodes in some slots, or all. None is lost by a server that dies now: it starts elsewhere."""
        slots = self._chosen(slots)
        seeds = [None] * len(slots) if seeds is None else list(seeds)
        options = {"seeds": seeds, "levels": levels, "prompts": prompts}
        if any(c is not None and len(c) != len(slots) for c in options.values()):
            raise ValueError(f"{len(slots)} slots, and options for {[c and len(c) for c in options.values()]}")
        batch = self._batch(len(slots))
        rows, rounds = list(range(len(slots))), 0
        failure: GenieError | None = None
        while rows:
            self._place([slots[row] for row in rows if self._places[slots[row]] is None])
            for row in rows:
                if slots[row] in self._anew and seeds[row] is None:
                    seeds[row] = drawn_seed()
            self._anew.difference_update(slots)
            for index, share in self._shares(slots, rows):
                chosen = {name: None if c is None else [c[row] for row in share] for name, c in options.items()}
                part = self._attempt(index, lambda s: s.reset(self._numbers(slots, share), **chosen))
                failure = part if isinstance(part, GenieError) else failure
                self._copy(part, slots, share, batch)
            left = [row for row in rows if self._places[slots[row]] is None]
            # What fails wherever it is asked is not the servers' fault.
            rounds = 0 if len(left) < len(rows) else rounds + 1
            if rounds > len(self._endpoints) and failure is not None:
                raise failure
            rows = left
        return batch

    def step(self, actions: Sequence[int] | np.ndarray, slots: Sequence[int] | None = None) -> Batch:
        """Steps some slots, or all, once."""
        self.send(actions, slots)
        return self.receive()

    def send(self, actions: Sequence[int] | np.ndarray, slots: Sequence[int] | None = None) -> None:
        """Sends a step to all servers without waiting; `receive` brings the answers."""
        slots = self._chosen(slots)
        codes = np.ascontiguousarray(actions, "<i4").ravel()
        if len(codes) != len(slots):
            raise ValueError(f"{len(slots)} slots, and {len(codes)} actions")
        shares = self._shares(slots, list(range(len(slots))))
        for index, rows in shares:
            self._attempt(index, lambda s: s.send(codes[rows], self._numbers(slots, rows)))
        self._sent = (slots, shares)

    def receive(self) -> Batch:
        """Waits for the answers to the step that was sent."""
        if self._sent is None:
            raise GenieError("no step was sent")
        (slots, shares), self._sent = self._sent, None
        batch = self._batch(len(slots))
        for index, rows in shares:
            self._copy(self._attempt(index, lambda s: s.receive()), slots, rows, batch)
        lost = [row for row, slot in enumerate(slots) if self._places[slot] is None and row not in batch.faults]
        for row in lost:
            message = "its server is gone; the slot is open at another, and waits for a reset"
            batch.faults[row] = SessionLost(Status.SESSION_LOST, {"message": message})
        try:
            self._place([slots[row] for row in lost])
        except GenieError:
            pass  # A reset asks again.
        return batch

    def close_slots(self, slots: Sequence[int]) -> None:
        """Closes some slots; the others go on."""
        slots = self._chosen(slots)
        for index, rows in self._shares(slots, list(range(len(slots)))):
            self._attempt(index, lambda s: s.close_slots(self._numbers(slots, rows)))
        self.slots = [slot for slot in self.slots if slot not in set(slots)]
        self._anew.difference_update(slots)
        for slot in slots:
            del self._places[slot], self._options[slot]

    def close(self) -> None:
        """Ends all sessions."""
        for session in self._sessions:
            if session is not None:
                session.close()
        self._sessions = [None] * len(self._endpoints)

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self, index: int) -> GenieError | None:
        """Connects to a server, and returns why it is of no use where it is not."""
        endpoint = self._endpoints[index]
        try:
            session = Session(endpoint, self._environment, self._retry, self._keys)
        except GenieError as error:
            return error
        self._offered = self._offered or session.specification
        if session.specification != self._offered:
            session.close()
            return Refused(f"{endpoint} offers another {session.specification.name} than the others")
        self._sessions[index] = session
        return None

    def _chosen(self, slots: Sequence[int] | None) -> list[int]:
        """What a server would refuse costs no session: it is found here."""
        if slots is None:
            return self.slots
        if len(set(slots)) != len(slots) or not self._places.keys() >= set(slots):
            raise ValueError(f"slots {list(slots)}: each has to be open, and named once")
        return list(slots)

    def _counts(self) -> list[int]:
        counts = [0] * len(self._endpoints)
        for place in self._places.values():
            if place is not None:
                counts[place[0]] += 1
        return counts

    def _shares(self, slots: Sequence[int], rows: Sequence[int]) -> list[tuple[int, list[int]]]:
        """Rows of a call by the server that their environments are at."""
        shares: dict[int, list[int]] = {}
        for row in rows:
            place = self._places[slots[row]]
            if place is not None:
                shares.setdefault(place[0], []).append(row)
        return sorted(shares.items())

    def _numbers(self, slots: Sequence[int], rows: Sequence[int]) -> list[int]:
        return [self._places[slots[row]][1] for row in rows]  # type: ignore[index]

    def _attempt(self, index: int, call: Any) -> Any:
        """Calls a server that is there. Where that fails its environments are lost, and the error is returned."""
        session = self._sessions[index]
        if session is None:
            return None
        try:
            return call(session)
        except GenieError as error:
            if isinstance(error, ServerError) and error.status == Status.TOO_LARGE:
                raise  # Nothing was done, and no other server would take it.
            self._sessions[index] = None
            for slot, place in self._places.items():
                if place is not None and place[0] == index:
                    self._leave(slot)
            session.close()
            if isinstance(error, SessionLost):  # It answers, and can have a new session.
                self._connect(index)
            return error

    def _leave(self, slot: int) -> None:
        self._places[slot] = None
        self._anew.add(slot)

    def _place(self, slots: Sequence[int]) -> None:
        """Opens environments that are nowhere, each where there are fewest."""
        missing = [slot for slot in slots if self._places[slot] is None]
        refusal: GenieError | None = None
        refused: set[int] = set()
        while missing:
            counts = self._counts()
            candidates = {i: s for i, s in enumerate(self._sessions) if s is not None and i not in refused}
            if not candidates:
                gone = [i for i, s in enumerate(self._sessions) if s is None and i not in refused]
                failures = {i: self._connect(i) for i in gone}
                refused |= {i for i, failure in failures.items() if failure is not None}
                refusal = next((f for f in failures.values() if f is not None), refusal)
                if all(failures.values()):
                    raise refusal or Disconnected("no server is left")
                continue
            # Level what there is: the emptiest server gets as many as bring it up to the mean.
            index = min(candidates, key=lambda i: counts[i])
            mean = (sum(counts[i] for i in candidates) + len(missing) + len(candidates) - 1) // len(candidates)
            options = self._options[missing[0]]
            alike = [slot for slot in missing if self._options[slot] == options]
            some = alike[: max(1, mean - counts[index])]
            try:
                opened = candidates[index].open(len(some), **options)
            except GenieError as error:
                refused.add(index)
                refusal = error
                if isinstance(error, (Disconnected, SessionLost)):
                    self._attempt(index, lambda s, e=error: _raise(e))
                continue
            self._places.update({slot: (index, number) for slot, number in zip(some, opened)})
            missing = [slot for slot in missing if self._places[slot] is None]

    def _batch(self, rows: int) -> Batch:
        flags = np.zeros(rows, bool)
        return Batch(
            np.zeros((rows, *self.specification.observation.shape), np.uint8), np.zeros(rows, np.float32),
            flags, flags.copy(),
        )  # fmt: skip

    def _copy(self, part: Batch | GenieError | None, slots: list[int], rows: list[int], batch: Batch) -> None:
        if not isinstance(part, Batch):
            return
        batch.observations[rows], batch.rewards[rows] = part.observations, part.rewards
        batch.terminated[rows], batch.truncated[rows] = part.terminated, part.truncated
        for source, fault in part.faults.items():
            batch.faults[rows[source]] = fault
            if isinstance(fault, ServerError) and fault.status == Status.FAULT:
                self._leave(slots[rows[source]])  # The environment failed, and its slot with it.
        for name, values in part.auxiliaries.items():
            empty = np.full(len(batch.rewards), np.nan, np.float32)
            batch.auxiliaries.setdefault(name, empty)[rows] = values


def drawn_seed() -> int:
    """A seed that nobody chose."""
    return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> 1)


def _raise(error: GenieError) -> Any:
    raise error


def as_truncations(batch: Batch, frames: np.ndarray) -> tuple[Batch, np.ndarray]:
    """Turns lost episodes into truncated ones that show their last frame; other faults are raised.

    Args:
        frames: what each row showed last.

    Returns:
        the batch, and which rows were lost.
    """
    lost = np.zeros(len(batch.rewards), bool)
    for row, fault in batch.faults.items():
        if not isinstance(fault, SessionLost):
            raise fault
        lost[row] = True
    if lost.any():
        batch.observations[lost] = frames[lost]
        batch.rewards[lost], batch.terminated[lost], batch.truncated[lost] = 0, False, True
        batch.faults = {}
    return batch, lost
