"""The codec against the golden messages that all languages share."""

from __future__ import annotations

import json
import random
import struct

import pytest
from make_golden_vectors import FIXTURES, encode

from genie_environments.wire import MalformedMessage, decode

VECTORS = json.loads((FIXTURES / "messages.json").read_text())


def golden(name: str) -> list[bytes]:
    """The frames of a `.bin` file."""
    data, frames = (FIXTURES / f"{name}.bin").read_bytes(), []
    while data:
        (size,) = struct.unpack_from("<I", data)
        frames.append(data[4 : 4 + size])
        data = data[4 + size :]
    return frames


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_writes_the_same_bytes(vector):
    assert encode(vector) == golden(vector["name"])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_reads_what_was_described(vector):
    message = decode(golden(vector["name"]))
    assert message.operation == vector["operation"]
    assert message.status == vector["status"]
    assert message.reply == vector["reply"]
    assert message.retry_after_ms == vector["retryAfter"]
    assert message.epoch == int(vector["epoch"], 16)
    assert message.session.hex() == vector["session"]
    assert message.sequence == int(vector["sequence"])
    assert message.nonce.hex() == vector["nonce"]
    assert message.metadata.decode() == vector["metadata"]
    assert len(message.payloads) == len(vector["payloads"])


@pytest.mark.parametrize("index", range(72))
def test_any_changed_byte_is_seen(index):
    frames = golden("step-request")
    head = bytearray(frames[0])
    head[index] ^= 16
    with pytest.raises(MalformedMessage):
        decode([bytes(head), *frames[1:]])


def test_mutated_messages_are_read_or_refused():
    source = random.Random(1)
    for _ in range(2000):
        frames = golden(source.choice(VECTORS)["name"])
        part = source.randrange(len(frames))
        frames[part] = source.choice([b"", frames[part] + b"x", frames[part][:-1], source.randbytes(len(frames[part]))])
        try:
            decode(frames)
        except MalformedMessage:
            pass
    for frames in ([], [b""], [b"abc"], [b"abc", b""]):
        with pytest.raises(MalformedMessage):
            decode(frames)
