"""Run the benchmarks and print one table: ``python -m bench`` (``make bench``)."""

from __future__ import annotations

import argparse
import sys

from bench import bridge, engine, faults, page

PARTS = {
    "bridge": bridge.measure,
    "page": page.measure,
    "engine": engine.measure,
    "faults": faults.measure,
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--measure-s", type=float, default=20.0)
    parser.add_argument("--skip-capacity", action="store_true")
    parser.add_argument(
        "--only-capacity", action="store_true", help="of the bridge, nothing else"
    )
    parser.add_argument("--cuts", type=int, default=100, help="of visitors' networks")
    parser.add_argument(
        "--fault-calls", type=int, default=20, help="live when a process is stopped"
    )
    parser.add_argument("--page-visits", type=int, default=20, help="with a browser")
    for name in PARTS:
        parser.add_argument(f"--skip-{name}", action="store_true")
        parser.add_argument(f"--only-{name}", action="store_true")
    options = vars(parser.parse_args())
    only = [name for name in PARTS if options[f"only_{name}"]]
    if options["only_capacity"]:
        only = ["bridge"]
    lines: list[str] = []
    for name in only or PARTS:
        if not options[f"skip_{name}"]:
            lines += PARTS[name](argparse.Namespace(**options))
    sys.stdout.write("\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
