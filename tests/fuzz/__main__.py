"""Feed every reader of gwtui with random and spoiled input for a while: `python tests/fuzz [SECONDS] [--seed N]`.

Each input has a name of its own, such as `0/sse/17`, and is the same wherever it is made: `--replay NAME` feeds it once
more, and prints it. An exception that leaves a reader, other than the one that it promises, is a finding, and so is
anything that has to hold of what was read and does not. Findings of the same kind are counted, and the first is shown.
After that, readers get input of n and 2 n pieces, to see that their time grows as their input does.

The exit code is 1 where something was found.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

ROOT = f"{Path(__file__).parents[2]}/"
sys.path[:0] = [f"{ROOT}tests", ROOT]

from fuzz.growth import print_growth  # noqa: E402 - found by the path above
from fuzz.readers import TARGETS  # noqa: E402
from fuzz.target import Target  # noqa: E402

SHOWN = 3000
"""Characters of an input that are shown."""
DEPTH = 8
"""Calls of a traceback that are shown."""


class Findings:
    """What was found, by the place where it was raised."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, name: str, error: Exception) -> None:
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(ROOT)]
        place = f"{type(error).__name__} at {ours[-1].filename.removeprefix(ROOT)}:{ours[-1].lineno}"
        self.counts[place] += 1
        if self.counts[place] == 1:
            print(f"\n{place}, by {name}:", flush=True)
            traceback.print_exception(error, limit=-DEPTH)


def main() -> int:
    options = _options()
    logging.disable()
    if options.replay:
        return _replay(options.replay)
    targets = [target for target in TARGETS if target.name in (options.only or [each.name for each in TARGETS])]
    findings = Findings()
    rounds = _fuzz(targets, options.seconds, options.seed, findings)
    for target in targets:
        print(f"{target.name:<24} {rounds[target.name]:>10,} inputs")
    if not options.only:
        print_growth()
    for place, count in findings.counts.most_common():
        print(f"{count:>8,} x {place}")
    print("nothing was found" if not findings.counts else f"{len(findings.counts)} kinds of findings")
    return 1 if findings.counts else 0


def _fuzz(targets: list[Target[object]], seconds: float, seed: int, findings: Findings) -> Counter[str]:
    """Turn by turn, each gets the same share of the time."""
    rounds: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        for target in targets:
            turn = min(0.2, (until - now) / len(targets)) + time.monotonic()
            while time.monotonic() < turn:
                name = f"{seed}/{target.name}/{rounds[target.name]}"
                rounds[target.name] += 1
                try:
                    target.play(name)
                except Exception as error:  # noqa: BLE001 - whatever leaves a reader is what is looked for
                    findings.add(name, error)
    return rounds


def _replay(name: str) -> int:
    target = next(each for each in TARGETS if each.name == name.split("/")[1])
    print(repr(target.input(name))[:SHOWN])
    target.play(name)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python tests/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("seconds", type=float, nargs="?", default=60.0, help="how long (60)")
    parser.add_argument("--seed", type=int, default=0, help="another number gives other inputs (0)")
    parser.add_argument("--only", action="append", choices=[target.name for target in TARGETS], help="this reader only")
    parser.add_argument("--replay", metavar="NAME", help="feed the input of that name once more")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
