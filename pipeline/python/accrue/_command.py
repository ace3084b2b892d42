"""The command line: ``accrue WORDS…``, the same code as the program of that name."""

from __future__ import annotations

import signal
import sys

from . import _native


def main() -> None:
    """Entry point of the wheel."""
    # Python's own handler only sets a flag that nobody looks at meanwhile; the program listens itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_native.status(["accrue", *sys.argv[1:]]))
