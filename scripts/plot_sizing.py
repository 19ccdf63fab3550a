#!/usr/bin/env python3
"""Draws docs/sizing.svg, and writes the table of docs/sizing.md, from the rows of tests/data/nccl-shm-*.jsonl.

    scripts/plot_sizing.py           writes them anew
    scripts/plot_sizing.py --check   changes nothing; fails if they differ

A row is one run of NCCL with a /dev/shm of some size. Runs of the same settings are one line here; those that
failed for another reason than space are left out.
"""

import json
import pathlib
import sys
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).parents[1]
BEGIN, END = "<!-- measured: made by scripts/plot_sizing.py -->\n", "<!-- end of measured -->\n"
RUNTIME_MIB = 64  # what container runtimes give
PER_GPU_MIB = 1024  # the chart's sizing.sizePerGPU


def read():
    """Lines of (settings, ranks, communicators, peak or None, sizes that it started in, sizes that were too small)."""
    found = {}
    for path in sorted((ROOT / "tests/data").glob("nccl-shm-*.jsonl")):
        for row in map(json.loads, path.read_text().splitlines()):
            if not row["ok"] and "No space left on device" not in row["error"]:
                continue
            settings = " ".join(f"{name.removeprefix('NCCL_')}={value}" for name, value in row["env"].items())
            key = (settings or "nothing set", row["ranks"], row["communicators"])
            peaks, started, small = found.setdefault(key, ([], [], []))
            (started if row["ok"] else small).append(row["shm_size_mib"])
            if row["ok"]:
                peaks.append(row["peak_shm_mib"])
    lines = [(*key, max(peaks) if peaks else None, sorted(started), sorted(small))
             for key, (peaks, started, small) in found.items()]
    return sorted(lines, key=lambda line: (line[3] is None, line[3] or 0, line[2], line[0]))


def table(lines):
    yield "| settings (without `NCCL_`) | communicators | peak, MiB | started in, MiB | too small, MiB |\n|---|---|---|---|---|\n"
    for settings, _, communicators, peak, started, small in lines:
        sizes = [", ".join(map(str, some)) for some in (started, small)]
        yield f"| {settings} | {communicators} | {'' if peak is None else f'{peak:.1f}'} | {sizes[0]} | {sizes[1]} |\n"


def svg(lines):
    bars = [line for line in lines if line[3] is not None]
    ranks = max(line[1] for line in bars)
    left, top, pitch, width = 580, 46, 20, 420
    height = top + pitch * len(bars) + 30
    most = max(line[3] for line in bars)

    def x(mib):
        return left + width * mib / most

    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 60} {height}" '
           'font-family="sans-serif" font-size="11">\n')
    yield f'<rect width="{left + width + 60}" height="{height}" fill="white"/>\n'
    yield (f'<text x="10" y="18" font-size="13">Peak of /dev/shm taken by NCCL, {ranks} GPUs '
           '(settings without NCCL_; × communicators)</text>\n')
    for index, (settings, _, communicators, peak, _, _) in enumerate(bars):
        y = top + pitch * index
        color = "#4c78a8" if peak <= PER_GPU_MIB * ranks else "#e45756"
        yield f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{escape(settings)} × {communicators}</text>\n'
        yield f'<rect x="{left}" y="{y + 2}" width="{x(peak) - left:.1f}" height="{pitch - 6}" fill="{color}"/>\n'
        yield f'<text x="{x(peak) + 4:.1f}" y="{y + 12}">{peak:.0f}</text>\n'
    for mib, words in ((RUNTIME_MIB, "64 MiB: the runtime's"), (PER_GPU_MIB * ranks, "1 GiB for each GPU")):
        yield (f'<line x1="{x(mib):.1f}" y1="{top - 4}" x2="{x(mib):.1f}" y2="{height - 26}" stroke="#333" '
               'stroke-dasharray="4 3"/>\n')
        yield f'<text x="{x(mib):.1f}" y="{height - 12}" text-anchor="middle">{words}</text>\n'
    yield "</svg>\n"


def main():
    lines = read()
    picture, page = ROOT / "docs/sizing.svg", ROOT / "docs/sizing.md"
    before = page.read_text()
    head, _, rest = before.partition(BEGIN)
    _, found, tail = rest.partition(END)
    if not found:
        raise SystemExit("docs/sizing.md has no place for the table")
    wanted = {picture: "".join(svg(lines)), page: head + BEGIN + "".join(table(lines)) + END + tail}
    differ = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in differ:
            print(f"{path.relative_to(ROOT)} is not what the measured rows say: scripts/plot_sizing.py")
        return 1 if differ else 0
    for path in differ:
        path.write_text(wanted[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
