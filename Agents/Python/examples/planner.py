"""Plans instead of learning: tries random actions in forks of the world, and does what went best (random shooting).

    genie serve --game Platformer-v1 --endpoint tcp://127.0.0.1:5555
    python examples/planner.py --endpoint tcp://127.0.0.1:5555
"""

from __future__ import annotations

import argparse

import numpy as np

from genie_environments import Keys, Session


def plan(session: Session, slot: int, forks: int, depth: int, random: np.random.Generator) -> np.ndarray:
    """The actions of the fork that earned most, `[depth]`."""
    # Actions are held for four steps: single presses lead nowhere.
    held = random.integers(session.specification.actions, size=(-(-depth // 4), forks))
    actions = np.repeat(held, 4, axis=0)[:depth]
    copies = np.array(session.fork(slot, forks))
    scores, running = np.zeros(forks), np.arange(forks)
    for step in range(depth):
        batch = session.step(actions[step, running], copies[running])
        # What comes early counts a little more, so that it is not put off for ever; a death counts against.
        scores[running] += batch.rewards * (1 - step / (4 * depth)) - (batch.terminated & (batch.rewards <= 0))
        running = running[~(batch.terminated | batch.truncated)]
        if not running.size:
            break
    session.close_slots(copies.tolist())
    return actions[:, scores.argmax()]


def main() -> None:
    """Plays some episodes, planned and at random."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:5555")
    parser.add_argument("--environment", help="name at the server, if it has several")
    Keys.add_arguments(parser)
    parser.add_argument("--episodes", type=int, default=5)
    parser.add_argument("--horizon", type=int, default=200, help="steps after which an episode is cut")
    parser.add_argument("--forks", type=int, default=32, help="forks that are tried before a decision")
    parser.add_argument("--depth", type=int, default=24, help="steps that each fork is followed")
    parser.add_argument("--commit", type=int, default=6, help="steps of the best one that are done")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    with Session(arguments.endpoint, arguments.environment, keys=Keys.given(parser, arguments)) as session:
        for name in ("planned", "random"):
            returns = []
            for episode in range(arguments.episodes):
                (slot,) = session.open(horizon=arguments.horizon)
                session.reset([slot], seeds=[arguments.seed + episode])
                total, over = 0.0, False
                while not over:
                    if name == "planned":
                        actions = plan(session, slot, arguments.forks, arguments.depth, random)[: arguments.commit]
                    else:
                        actions = random.integers(session.specification.actions, size=1)
                    for action in actions:
                        batch = session.step([action], [slot])
                        total += float(batch.rewards[0])
                        over = bool(batch.terminated[0] or batch.truncated[0])
                        if over:
                            break
                session.close_slots([slot])
                returns.append(total)
            print(f"{name}: return {np.mean(returns):.2f} in {arguments.episodes} episodes ({np.round(returns, 1)})")


if __name__ == "__main__":
    main()
