"""Writes Tests/Fixtures/wire: messages as every client and server must write them, byte for byte.

Run it only for a new version of the protocol: `python tests/make_golden_vectors.py`.
"""

from __future__ import annotations

import json
import pathlib
import struct

import numpy as np

from genie_environments.wire import Message

FIXTURES = pathlib.Path(__file__).resolve().parents[3] / "Tests" / "Fixtures" / "wire"
EPOCH = 0x1122334455667788
SESSION = bytes(range(16))
NONCE = bytes(range(0xF0, 0x100))
DTYPES = {"u8": "<u1", "i32": "<i4", "u32": "<u4", "i64": "<i8", "u64": "<u8", "f32": "<f4"}


def message(name: str, operation: int, *, metadata: dict | None = None, payloads: list | None = None, **envelope):
    """One golden message: a name, the fields of its envelope, and typed payloads."""
    fields = {"status": 0, "reply": False, "retryAfter": 0, "epoch": 0, "session": bytes(16), "sequence": 0,
              "nonce": bytes(16), **envelope}  # fmt: skip
    text = "" if metadata is None else json.dumps(metadata, separators=(",", ":"), sort_keys=True)
    return {
        "name": name,
        "operation": operation,
        "status": fields["status"],
        "reply": fields["reply"],
        "retryAfter": fields["retryAfter"],
        "epoch": f"{fields['epoch']:016x}",
        "session": fields["session"].hex(),
        "sequence": str(fields["sequence"]),
        "nonce": fields["nonce"].hex(),
        "metadata": text,
        # A payload is one array, or several, one after the other.
        "payloads": [
            [{"type": kind, "values": v} for kind, v in zip(kinds.split(","), values if "," in kinds else [values])]
            for kinds, values in payloads or []
        ],
    }


def vectors() -> list[dict]:
    """The golden messages: each operation, both directions, errors, empty and full payloads."""
    session = {"epoch": EPOCH, "session": SESSION}
    reply = {**session, "reply": True}
    largest = 2**64 - 1
    return [
        message("hello-request", 1, sequence=1, metadata={"client": "golden/1", "versions": [1]}),
        message("describe-request", 2, sequence=2),
        message("open-request", 3, sequence=1, nonce=NONCE, metadata={
            "count": 2, "environment": "Noop-v1", "options": {"auxiliaries": ["entropy"], "horizon": 9}}),
        message("open-reply", 3, sequence=1, nonce=NONCE, **reply,
                metadata={"auxiliaries": ["entropy"], "slots": [0, 1]}),
        message("reset-request-plain", 4, sequence=2, **session, payloads=[
            ("i32", []), ("u8", []), ("u64", []), ("i64", []), ("u32", []), ("u8", [])]),
        message("reset-request-full", 4, sequence=2, **session, payloads=[
            ("i32", [1, 0]), ("u8", [5, 2]), ("u64", [str(largest), "0"]), ("i64", [0, -3]),
            ("u32", [1, 1, 2]), ("u8", [10, 20, 30, 40, 50, 60])]),
        message("step-request", 5, sequence=3, **session, payloads=[("i32", [0, 1]), ("i32", [5, -1])]),
        message("step-request-all", 5, sequence=largest, **session, payloads=[("i32", []), ("i32", [7])]),
        message("step-reply", 5, sequence=3, **reply, payloads=[
            ("f32,f32,u8,u8", [[0.5, -2.25], [1.5, 0.0], [1, 2], [0, 0]]), ("u8", [0, 127, 255, 1, 2, 3])]),
        message("step-reply-fault", 5, sequence=4, **reply, metadata={
            "faults": [{"action": -1, "count": 6, "message": "m", "row": 1, "status": 36}]}, payloads=[
            ("f32,u8,u8", [[0.5, 0.0], [0, 0], [0, 36]]), ("u8", [0, 127, 255, 1, 2, 3])]),
        message("close-request", 6, sequence=5, **session, payloads=[("i32", [])]),
        message("ping-request", 7, sequence=77, session=SESSION, epoch=EPOCH),
        message("snapshot-reply", 9, sequence=5, **reply, payloads=[("u64", ["2", "1"]), ("u8", [7, 8, 9])]),
        message("restore-request", 10, sequence=6, **session, payloads=[
            ("i32", [1, 0]), ("u64", ["2", "1"]), ("u8", [7, 8, 9])]),
        message("fork-request", 11, sequence=7, **session, payloads=[("i32", [0, 0, 1])]),
        message("resume-request", 12, sequence=78, session=SESSION, epoch=EPOCH + 1),
        message("resume-reply", 12, sequence=78, session=SESSION, epoch=EPOCH + 1, reply=True, metadata={"accepted": 7}),
        message("busy-reply", 5, sequence=6, status=9, retryAfter=250, **reply, metadata={"message": "busy"}),
        message("lost-reply", 5, sequence=6, status=8, **reply, metadata={"message": "gone"}),
        message("malformed-reply", 0, status=1, epoch=EPOCH, reply=True, metadata={"message": "3 bytes"}),
    ]  # fmt: skip


def encode(vector: dict) -> list[bytes]:
    """The frames of a described message."""
    payloads = [
        b"".join(
            np.array([int(v) if isinstance(v, str) else v for v in array["values"]], DTYPES[array["type"]]).tobytes()
            for array in payload
        )
        for payload in vector["payloads"]
    ]
    return Message(
        vector["operation"], int(vector["epoch"], 16), bytes.fromhex(vector["session"]), int(vector["sequence"]),
        bytes.fromhex(vector["nonce"]), vector["status"], vector["reply"], vector["retryAfter"],
        vector["metadata"].encode(), payloads,
    ).frames()  # fmt: skip


def main() -> None:
    FIXTURES.mkdir(parents=True, exist_ok=True)
    described = vectors()
    (FIXTURES / "messages.json").write_text(json.dumps(described, indent=1) + "\n")
    for vector in described:
        parts = b"".join(struct.pack("<I", len(frame)) + frame for frame in encode(vector))
        (FIXTURES / f"{vector['name']}.bin").write_bytes(parts)


if __name__ == "__main__":
    main()
