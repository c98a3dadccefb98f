"""Run the benchmarks and print one table: ``python -m bench`` (``make bench``)."""

from __future__ import annotations

import argparse
import sys

from bench import bridge, engine


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--measure-s", type=float, default=20.0)
    parser.add_argument("--skip-capacity", action="store_true")
    parser.add_argument("--skip-engine", action="store_true")
    parser.add_argument("--only-engine", action="store_true")
    options = parser.parse_args()
    lines: list[str] = []
    if not options.only_engine:
        lines += bridge.measure(options)
    if not options.skip_engine:
        lines += engine.measure()
    sys.stdout.write("\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
