"""Alternating runs, medians, and ratios to a floor of the same round, so that a busy machine slows both alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

__all__ = ["Line", "Runs", "alternate", "table"]


@dataclass
class Runs:
    """The runs of one piece of work: seconds by the clock and of this process's processor; `count` is what it
    returned, and must be the same each time."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    count: int = -1

    @property
    def seconds(self) -> float:
        """The median by the clock."""
        return median(self.wall)

    @property
    def cpu_seconds(self) -> float:
        """The median of processor time."""
        return median(self.cpu)

    def over(self, floor: Runs) -> float:
        """How many times the floor: the median of the ratios of each round."""
        return median(mine / theirs for mine, theirs in zip(self.wall, floor.wall, strict=True))

    def cpu_over(self, floor: Runs) -> float:
        """The same in processor time."""
        return self.cpu_seconds / max(floor.cpu_seconds, 1e-9)


@dataclass(frozen=True)
class Line:
    """One line of the report: a name, figures as text, and the row count that proves the work was done."""

    name: str
    figures: tuple[str, ...]
    count: int = -1


def alternate(works: Mapping[str, Callable[[], int]], repeats: int) -> dict[str, Runs]:
    """Run each work once unmeasured, then all in turn `repeats` times. Each returns how many things it made."""
    runs = {name: Runs(name) for name in works}
    for measured in range(-1, repeats):
        for name, work in works.items():
            gc.collect()
            began, cpu = time.perf_counter(), time.process_time()
            count = work()
            taken, used = time.perf_counter() - began, time.process_time() - cpu
            run = runs[name]
            assert run.count in (-1, count), f"{name}: {count} after {run.count}"
            run.count = count
            if measured >= 0:
                run.wall.append(taken)
                run.cpu.append(used)
    return runs


def table(title: str, columns: tuple[str, ...], lines: list[Line]) -> str:
    """Return the lines as text, figures right-aligned under their columns."""
    rows = [("", *columns), *((line.name, *line.figures) for line in lines)]
    widths = [max(len(row[n]) if n < len(row) else 0 for row in rows) for n in range(len(rows[0]))]
    texts = [
        "  ".join(cell.ljust(widths[n]) if n == 0 else cell.rjust(widths[n]) for n, cell in enumerate(row)).rstrip()
        for row in rows
    ]
    return "\n".join((title, *texts))
