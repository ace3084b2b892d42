"""How far long work is: a line in a terminal, a bar in a notebook, nothing in a pipe."""

from __future__ import annotations

import sys
import time
from typing import Any

#: Seconds that work may take before anything is shown, and between two looks.
PATIENCE, EVERY = 1.0, 0.2


def _kernel() -> Any:
    """The notebook's shell, where there is one."""
    if "IPython" not in sys.modules:
        return None
    shell = sys.modules["IPython"].get_ipython()
    return shell if shell is not None and hasattr(shell, "kernel") else None


class Progress:
    """Called with how much of ``total`` is done."""

    def __init__(self, what: str, total: int, shown: bool | None = None) -> None:
        self.what, self.total = what, total
        self._begun = self._last = time.monotonic()
        self._notebook = _kernel() is not None
        terminal = sys.stderr is not None and sys.stderr.isatty()
        self._shown = (self._notebook or terminal) if shown is None else shown
        self._handle: Any = None
        self._wrote = False

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if not self._shown or now - self._begun < PATIENCE or now - self._last < EVERY:
            return
        self._last = now
        if self._notebook:
            from IPython.display import HTML, display

            bar = HTML(f"<progress value={done} max={self.total}></progress> {self.what}: {done} of {self.total}")
            if self._handle is None:
                self._handle = display(bar, display_id=True)
            else:
                self._handle.update(bar)
        else:
            full = 24 * done // max(self.total, 1)
            line = f"\r  {'━' * full}{'─' * (24 - full)} {self.what}: {done} of {self.total}"
            print(line, end="", file=sys.stderr, flush=True)
            self._wrote = True

    def end(self) -> None:
        """Leaves no line behind."""
        if self._wrote:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        if self._handle is not None:
            from IPython.display import HTML

            self._handle.update(HTML(""))
