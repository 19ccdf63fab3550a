"""What was looked at, and what was found."""

from __future__ import annotations

import time


class Ledger:
    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str]] = []
        self.problems: list[str] = []
        self._part = ""
        self._began = time.monotonic()

    def part(self, name: str) -> None:
        self._part = name
        print(f"\n== {name}", flush=True)

    def note(self, what: str, found: str = "yes") -> None:
        self.rows.append((self._part, what, found))
        print(f"   {time.monotonic() - self._began:5.0f} s  {what}: {found}", flush=True)

    def check(self, what: str, problem: str, found: str = "yes") -> None:
        """A problem is what speaks against it; empty: nothing does."""
        if problem:
            self.problems.append(f"{self._part}: {what}: {problem}")
        self.note(what, f"NO: {problem}" if problem else found)

    def equal(self, what: str, found: object, wanted: object) -> None:
        self.check(what, "" if found == wanted else f"{found}, wanted {wanted}", str(found))
