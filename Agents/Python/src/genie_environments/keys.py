"""Keys for servers that ask for them (`genie keys`)."""

from __future__ import annotations

import argparse
import os
import pathlib
import stat
from dataclasses import dataclass

import zmq

from .wire import GenieError


@dataclass(frozen=True)
class Keys:
    """A client's pair and the server's public key, each 40 characters of Z85."""

    public: bytes
    secret: bytes
    server: bytes

    @staticmethod
    def load(secret: str | os.PathLike[str], server: str | os.PathLike[str]) -> "Keys":
        """Reads `NAME.secret` of this client and `NAME.public` of the server.

        Raises:
            GenieError: where a file holds no key, or others can read the secret.
        """
        if stat.S_IMODE(os.stat(secret).st_mode) & 0o077:
            raise GenieError(f"{secret}: others than its owner can read this secret: chmod 600 it")
        own = _key(secret)
        return Keys(public=zmq.curve_public(own), secret=own, server=_key(server))

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Lets a program have `--key` and `--server-key`, for `given`."""
        parser.add_argument("--key", metavar="FILE", help="this client's NAME.secret, for a server that asks for keys")
        parser.add_argument("--server-key", metavar="FILE", help="the server's NAME.public; with several servers, one for all")

    @staticmethod
    def given(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> "Keys | None":
        """The keys that a program's arguments name, None where they name none.

        Only one of the two, or a file without a key, ends the program as argparse does: with a word and status 2.
        """
        if (arguments.key is None) != (arguments.server_key is None):
            parser.error("--key and --server-key go together")
        if arguments.key is None:
            return None
        try:
            return Keys.load(arguments.key, arguments.server_key)
        except (GenieError, OSError) as error:
            parser.error(str(error))


def _key(path: str | os.PathLike[str]) -> bytes:
    words = pathlib.Path(path).read_text().split()
    if not words or len(words[0]) != 40:
        raise GenieError(f"{path}: a key is 40 characters; 'genie keys make NAME' makes a pair")
    return words[0].encode()
