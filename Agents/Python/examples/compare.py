"""How fast steps go, beside dm_env_rpc and OpenEnv, whose servers send the same frames, turn by turn in one run.

    pip install dm-env-rpc openenv uvicorn       (in an environment of its own, with this package)
    genie serve --game Noop-v1 --endpoint tcp://127.0.0.1:5556
    python examples/compare.py --endpoint tcp://127.0.0.1:5556

Each of the others serves one environment that does nothing, by its own library, in a process of its own: dm_env_rpc with
synchronous gRPC, OpenEnv with FastAPI over a WebSocket, its frame a list of numbers as in its own Atari environment.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import statistics
import time
from typing import Callable

import numpy as np

from genie_environments import Session

SHAPE = (64, 64, 3)


def serve_dm_env_rpc(port: int) -> None:
    """A server whose every answer to a step is a frame and a reward."""
    from concurrent import futures

    import grpc
    from dm_env_rpc.v1 import dm_env_rpc_pb2, dm_env_rpc_pb2_grpc, tensor_utils

    class Environment(dm_env_rpc_pb2_grpc.EnvironmentServicer):
        def Process(self, requests, context):  # noqa: N802 (the name is gRPC's)
            frame = np.full(SHAPE, 128, np.uint8)
            for request in requests:
                response = dm_env_rpc_pb2.EnvironmentResponse()
                assert request.WhichOneof("payload") == "step"
                response.step.state = dm_env_rpc_pb2.EnvironmentStateType.RUNNING
                response.step.observations[1].CopyFrom(tensor_utils.pack_tensor(frame))
                response.step.observations[2].CopyFrom(tensor_utils.pack_tensor(np.float32(0)))
                yield response

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    dm_env_rpc_pb2_grpc.add_EnvironmentServicer_to_server(Environment(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


def step_dm_env_rpc(port: int) -> Callable[[], np.ndarray]:
    """A client's step."""
    import grpc
    from dm_env_rpc.v1 import connection, dm_env_rpc_pb2, tensor_utils

    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    grpc.channel_ready_future(channel).result(timeout=20)
    line = connection.Connection(channel)

    def step() -> np.ndarray:
        request = dm_env_rpc_pb2.StepRequest(requested_observations=[1, 2])
        request.actions[1].CopyFrom(tensor_utils.pack_tensor(np.int32(0)))
        response = line.send(request)
        tensor_utils.unpack_tensor(response.observations[2])
        return tensor_utils.unpack_tensor(response.observations[1])

    return step


def serve_openenv(port: int) -> None:
    """A server whose every answer to a step is a frame and a reward."""
    import uvicorn
    from openenv.core.env_server.http_server import create_fastapi_app
    from openenv.core.env_server.interfaces import Environment
    from openenv.core.env_server.types import Action, Observation, State

    class Move(Action):
        action: int

    class Frame(Observation):
        screen: list[int]

    class Nothing(Environment):
        pixels = [128] * int(np.prod(SHAPE))

        def reset(self, seed=None, episode_id=None, **_):
            return Frame(screen=self.pixels)

        def step(self, action, timeout_s=None, **_):
            return Frame(screen=self.pixels, reward=0.0)

        @property
        def state(self):
            return State()

    # The classes are local, and annotations are text here: FastAPI looks them up by name.
    globals().update(Move=Move, Frame=Frame)
    uvicorn.run(create_fastapi_app(Nothing, Move, Frame), host="127.0.0.1", port=port, log_level="error")


def step_openenv(port: int) -> Callable[[], np.ndarray]:
    """A client's step."""
    from openenv.core.generic_client import GenericEnvClient

    client = GenericEnvClient(base_url=f"http://127.0.0.1:{port}").sync()
    client.connect()
    client.reset()

    def step() -> np.ndarray:
        return np.array(client.step({"action": 0}).observation["screen"], np.uint8).reshape(SHAPE)

    return step


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int) -> None:
    """Until somebody listens."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nobody listens at port {port}")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:5556")
    parser.add_argument("--environment", default="Noop-v1")
    parser.add_argument("--turns", type=int, default=11)
    parser.add_argument("--steps", type=int, default=200, help="of each turn")
    arguments = parser.parse_args()
    processes, steps = multiprocessing.get_context("spawn"), {}
    with Session(arguments.endpoint, arguments.environment) as session:
        (first, *_), count = session.open(64), 64
        session.reset()
        one, all_of_them = np.zeros(1, np.int32), np.zeros(count, np.int32)
        steps["genie"] = lambda: session.step(one, [first]).observations[0]
        steps[f"genie, {count} in a message"] = lambda: session.step(all_of_them).observations[0]
        for name, serve, connect in (
            ("dm_env_rpc", serve_dm_env_rpc, step_dm_env_rpc), ("OpenEnv", serve_openenv, step_openenv),
        ):  # fmt: skip
            port = free_port()
            processes.Process(target=serve, args=(port,), daemon=True).start()
            wait_for(port)
            steps[name] = connect(port)
        rates: dict[str, list[float]] = {name: [] for name in steps}
        for turn in range(arguments.turns + 1):
            for name, step in steps.items():
                start = time.perf_counter()
                for _ in range(arguments.steps):
                    frame = step()
                if turn:  # the first warms up
                    environments = count if "in a message" in name else 1
                    rates[name].append(environments * arguments.steps / (time.perf_counter() - start))
                assert frame.shape == SHAPE and frame.dtype == np.uint8 and frame[0, 0, 0] == 128, name
        many = f"genie, {count} in a message"
        for name, values in rates.items():
            line = f"{name}: {statistics.median(values):.0f} steps/s"
            if name not in ("genie", many):
                single, batched = (
                    statistics.median(own / other for own, other in zip(rates[kind], values)) for kind in ("genie", many)
                )
                line += f"; genie is {single:.1f} times as fast, {batched:.0f} times with {count} in a message"
            print(line)


if __name__ == "__main__":
    main()
