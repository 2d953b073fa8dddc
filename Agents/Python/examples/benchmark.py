"""How fast steps go over the wire, beside the same bytes sent by bare pyzmq, turn by turn.

    genie serve --game Noop-v1 --endpoint tcp://127.0.0.1:5556
    python examples/benchmark.py --endpoint tcp://127.0.0.1:5556
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time

import numpy as np
import zmq

from genie_environments import Session

FRAME = 12288


def serve(ready: multiprocessing.connection.Connection) -> None:
    """A bare server: 72 bytes and 12,288 an environment, for 4 bytes an environment."""
    socket = zmq.Context().socket(zmq.ROUTER)
    ready.send(socket.bind_to_random_port("tcp://127.0.0.1"))
    pixels, head = bytes(4096 * FRAME), bytes(72)
    while True:
        peer, _, actions = socket.recv_multipart()
        socket.send_multipart([peer, head, memoryview(pixels)[: len(actions) // 4 * FRAME]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:5556")
    parser.add_argument("--environment", default="Noop-v1")
    parser.add_argument("--pairs", type=int, default=10)
    arguments = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.Process(target=serve, args=(theirs,), daemon=True).start()
    bare = zmq.Context().socket(zmq.DEALER)
    bare.connect(f"tcp://127.0.0.1:{ours.recv()}")
    for count, rounds in ((1, 2000), (64, 300)):
        with Session(arguments.endpoint, arguments.environment) as session:
            session.open(count)
            session.reset()
            actions = np.zeros(count, np.int32)

            def own() -> None:
                session.step(actions)

            def raw() -> None:
                bare.send_multipart([bytes(72), actions.tobytes()])
                bare.recv_multipart()

            rates: dict[str, list[float]] = {"own": [], "raw": []}
            for pair in range(arguments.pairs + 1):
                for name, body in (("own", own), ("raw", raw)):
                    start = time.perf_counter()
                    for _ in range(rounds):
                        body()
                    if pair:  # the first warms up
                        rates[name].append(count * rounds / (time.perf_counter() - start))
            ratio = statistics.median(a / b for a, b in zip(rates["own"], rates["raw"]))
            print(
                f"{count} in a message: {statistics.median(rates['own']):.0f} steps/s, bare pyzmq "
                f"{statistics.median(rates['raw']):.0f}, ratio {ratio:.2f} (median of {arguments.pairs} pairs)"
            )


if __name__ == "__main__":
    main()
