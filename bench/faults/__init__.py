"""What calls survive, measured on real processes: ``python -m bench --only-faults``."""

from __future__ import annotations

import argparse
import sys


def measure(options: argparse.Namespace) -> list[str]:
    """Return the lines about faults, or why they could not be measured.

    Args:
        options: ``cuts`` of the network, and live ``fault_calls`` of the other two.
    """
    from bench.faults import deploy, orphans, resume
    from bench.faults.world import Missing, world

    lines = []
    try:
        with world() as here:
            _tell(f"{options.cuts} network cuts")
            lines += resume.measure(here, options.cuts)
            _tell(f"a process replaced under {options.fault_calls} calls")
            lines += deploy.measure(here, options.fault_calls)
            _tell(f"processes killed under {options.fault_calls} calls")
            lines += orphans.measure(here, options.fault_calls)
    except Missing as exc:
        lines.append(f"faults: not measured, {exc}")
    return lines


def _tell(what: str) -> None:
    sys.stderr.write(f"  faults: {what}\n")
    sys.stderr.flush()
