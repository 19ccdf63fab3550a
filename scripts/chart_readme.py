#!/usr/bin/env python3
"""Writes the table of values in the chart's README from the comments of its values.yaml.

    scripts/chart_readme.py           writes it anew
    scripts/chart_readme.py --check   changes nothing; fails if it differs, or if a value has no comment

A comment belongs to the key below it. A value without one has that of the same name under `operator`.
"""

import pathlib
import re
import sys

CHART = pathlib.Path(__file__).parents[1] / "charts/shm-operator"
BEGIN, END = "<!-- values: made by scripts/chart_readme.py -->\n", "<!-- end of values -->\n"
KEY = re.compile(r"^( *)([A-Za-z][A-Za-z0-9]*):(?: (.+))?$")


def read(text):
    """Yields (path, default, comment) of each key; default is None where further keys are below."""
    parents, comment = [], []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            comment.append(stripped[1:].removeprefix(" "))
            continue
        match = KEY.match(line)
        if match:
            indent, name, default = match.groups()
            del parents[len(indent) // 2:]
            parents.append(name)
            yield ".".join(parents), default, comment
        elif stripped:
            raise SystemExit(f"values.yaml: a line that is not understood: {line}")
        comment = []


def words(comment):
    """Lines that are indented further, as of a list, stand apart."""
    text = ""
    for line in comment:
        text += ("<br>" if line.startswith("  ") else " ") + line.strip()
    return text.strip().replace("|", "\\|")


def table(values):
    comments = {path: words(comment) for path, _, comment in values}
    yield "| value | default | meaning |\n|---|---|---|\n"
    for path, default, _ in values:
        text = comments[path] or comments.get("operator." + path.partition(".")[2], "")
        if default is None:
            # What a group says, its values need.
            if text:
                yield f"| **{path}** | | {text} |\n"
            continue
        if not text and not comments.get(path.rpartition(".")[0]):
            raise SystemExit(f"values.yaml: {path} has no comment")
        shown = "" if default == '""' else f"`{default}`"
        yield f"| `{path}` | {shown} | {text} |\n"


def main():
    values = list(read((CHART / "values.yaml").read_text()))
    readme = CHART / "README.md"
    before = readme.read_text()
    head, _, rest = before.partition(BEGIN)
    _, found, tail = rest.partition(END)
    if not found:
        raise SystemExit("the chart's README.md has no place for the values")
    after = head + BEGIN + "".join(table(values)) + END + tail
    if after == before:
        return 0
    if "--check" in sys.argv[1:]:
        print("the chart's README.md is not what values.yaml says: make manifests")
        return 1
    readme.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
