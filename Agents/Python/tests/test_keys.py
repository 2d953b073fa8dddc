"""Keys as a program's arguments."""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys

import pytest
import zmq

from genie_environments import Keys

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


def write(name: pathlib.Path) -> tuple[list[str], bytes]:
    """A pair in files, as `genie keys make` writes them: the paths, and the public key."""
    public, secret = zmq.curve_keypair()
    files = [f"{name}.secret", f"{name}.public"]
    for file, key, mode in zip(files, (secret, public), (0o600, 0o644)):
        pathlib.Path(file).write_bytes(key + b"\n")
        os.chmod(file, mode)
    return files, public


def given(*words: str) -> Keys | None:
    parser = argparse.ArgumentParser()
    Keys.add_arguments(parser)
    return Keys.given(parser, parser.parse_args(words))


def test_a_program_is_given_keys(tmp_path):
    (secret, _), own = write(tmp_path / "agent")
    (_, public), server = write(tmp_path / "server")
    keys = given("--key", secret, "--server-key", public)
    assert keys is not None and keys.public == own and keys.server == server
    assert given() is None


def test_what_cannot_be_used_is_told(tmp_path, capsys):
    (secret, public), _ = write(tmp_path / "agent")
    exposed = tmp_path / "exposed.secret"
    exposed.write_bytes(pathlib.Path(secret).read_bytes())
    exposed.chmod(0o644)
    for words, reason in (
        (["--key", secret], "go together"), (["--server-key", public], "go together"),
        (["--key", f"{secret}.not", "--server-key", public], "secret.not"),
        (["--key", str(exposed), "--server-key", public], "chmod 600"),
    ):  # fmt: skip
        with pytest.raises(SystemExit) as end:
            given(*words)
        assert end.value.code == 2 and reason in capsys.readouterr().err, words


@pytest.mark.skipif("GENIE" not in os.environ, reason="GENIE does not name the genie command")
def test_an_example_is_let_in(tmp_path):
    (secret, _), own = write(tmp_path / "agent")
    (server, public), _ = write(tmp_path / "server")
    (tmp_path / "clients").write_bytes(own + b"\n")
    command = ["serve", "--game", "Platformer-v1", "--endpoint", "tcp://127.0.0.1:*", "--key", server]
    serving = subprocess.Popen(
        [os.environ["GENIE"], *command, "--allow", str(tmp_path / "clients")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert serving.stdout is not None
        endpoint = serving.stdout.readline().split()[-1]
        play = [sys.executable, str(EXAMPLES / "random_agent.py"), "--endpoint", endpoint, "--episodes", "1"]
        keys = ["--key", secret, "--server-key", public]
        played = subprocess.run([*play, *keys], capture_output=True, text=True, timeout=60)
        assert played.returncode == 0 and "episode 0" in played.stdout, played.stderr
        refused = subprocess.run(play, capture_output=True, text=True, timeout=60)
        assert refused.returncode != 0 and "Refused" in refused.stderr, refused.stderr
    finally:
        serving.terminate()
        serving.wait()
