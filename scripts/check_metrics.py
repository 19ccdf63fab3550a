#!/usr/bin/env python3
"""Holds docs/metrics.md to the sources: every metric with its type and the names of its labels, and
every alert that a metric names, with an expression of metrics that there are.

A metric is a call of Count, Counter, Set, Gauge or Histogram of runtime/metrics.h whose first
argument is a literal, or a constant of the same file. Prints one line a difference and exits 1 where
there is one. `--root DIR` checks another tree, which is how tests/checks/check_metrics_test.py sees
it fail.
"""

import argparse
import pathlib
import re
import sys

ROOMS = ("operator", "webhook", "runtime", "kube")
# Defines these calls, and makes none.
EXCEPT = {"runtime/metrics.cc", "runtime/metrics.h"}
TYPES = {"Count": "counter", "Counter": "counter", "Set": "gauge", "Gauge": "gauge",
         "Histogram": "histogram"}
CALL = re.compile(r'\b(Count|Counter|Set|Gauge|Histogram)\(\s*(?:"([a-z0-9_]+)"|(k[A-Z]\w*))\s*,')
# On something called metrics, but not with a name that CALL can read.
UNREADABLE = re.compile(r'\bmetrics_?\s*\.\s*(?:Count|Counter|Set|Gauge|Histogram)\((?!\s*(?:"|k[A-Z]))')
LABEL = re.compile(r'\{\s*"([a-z_]+)"\s*,')
SAMPLE_SUFFIX = re.compile(r"_(bucket|sum|count)$")


def arguments(text, begin):
    """The text from after an opening parenthesis to the one that closes it."""
    depth, i = 1, begin
    while depth and i < len(text):
        if text[i] == '"':
            i = re.compile(r'"(\\.|[^"\\])*"').match(text, i).end()
            continue
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        i += 1
    return text[begin:i]


def in_sources(root):
    """name -> (type, labels, place), and what cannot be told."""
    found, errors = {}, []
    for room in ROOMS:
        for path in sorted((root / room).glob("**/*")):
            place = path.relative_to(root).as_posix()
            if path.suffix not in (".h", ".cc") or place in EXCEPT:
                continue
            text = path.read_text()
            for match in UNREADABLE.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                errors.append(f"{place}:{line}: a metric's name must be a literal")
            for match in CALL.finditer(text):
                kind, name, constant = match.groups()
                if constant:
                    value = re.search(constant + r'\[\] =\s*"([a-z0-9_]+)"', text)
                    if not value:
                        continue
                    name = value[1]
                labels = frozenset(LABEL.findall(arguments(text, match.end())))
                metric = (TYPES[kind], labels)
                if name in found and found[name][:2] != metric:
                    errors.append(f"{place}: {name} is another metric in {found[name][2]}")
                found.setdefault(name, (*metric, place))
    return found, errors


def rows(text, header):
    """The cells of every table whose first column is called `header`."""
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == header:
            inside = True
        elif inside and not set(cells[0]) <= set("-"):
            yield cells


def in_docs(text):
    """name -> (type, labels, alerts), and alert -> expression."""
    metrics = {}
    for name, kind, labels, _, alerts in rows(text, "metric"):
        names = frozenset(match[1] for part in labels.split(";")
                          if (match := re.match(r"\s*`([a-z_]+)`", part)))
        metrics[name.strip("`")] = (kind, names, [a for a in re.split(r",\s*", alerts) if a])
    alerts = {row[0]: row[1].strip("`") for row in rows(text, "alert")}
    return metrics, alerts


def differences(root):
    sources, errors = in_sources(root)
    yield from errors
    docs, alerts = in_docs((root / "docs/metrics.md").read_text())
    for name in sorted(sources.keys() - docs.keys()):
        yield f"{sources[name][2]}: {name} is not in docs/metrics.md"
    for name in sorted(docs.keys() - sources.keys()):
        yield f"docs/metrics.md: {name} is not in the sources"
    for name in sorted(docs.keys() & sources.keys()):
        for what, said, true in zip(("type", "labels"), docs[name], sources[name]):
            if said != true:
                true = true if what == "type" else sorted(true)
                yield f"docs/metrics.md: the {what} of {name}: {true} in the sources"
    named = {alert for _, _, of_metric in docs.values() for alert in of_metric}
    for alert in sorted(named ^ alerts.keys()):
        yield f"docs/metrics.md: alert {alert} is not in both a metric's row and the alerts' table"
    for alert, expression in sorted(alerts.items()):
        of = {SAMPLE_SUFFIX.sub("", word) if SAMPLE_SUFFIX.sub("", word) in docs else word
              for word in re.findall(r"\b(?:shm|workqueue|rest_client|reflector|leader)_\w+", expression)}
        for name in sorted(of):
            if alert not in docs.get(name, (None, None, ()))[2]:
                yield f"docs/metrics.md: {alert} asks for {name}, whose row does not name it"
        if not of:
            yield f"docs/metrics.md: {alert} asks for no metric"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).parents[1])
    found = list(differences(parser.parse_args().root))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
