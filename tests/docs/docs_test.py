#!/usr/bin/env python3
"""The commands of README.md and docs/*.md do what the text says. blocks.yaml names every block and what is done with it.

    docs_test.py names      that blocks.yaml names all blocks, and no others (needs nothing)
    docs_test.py run        runs them on the cluster of $KUBECONFIG, on whose node the image shm-operator:dev is, and where
                            nothing of ours is installed. SHM_BIN_DIR: where shmctl is. kubectl and helm on the PATH.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
# Languages of blocks that are data; tests/validation looks at these.
DATA = {"yaml", "json"}
RUN = {"cluster", "here"}
NOT_RUN = {"text", "gpu", "foreign", "internet", "elsewhere"}
KEYS = {"begins", "run", "why", "leave", "edit", "before", "after", "exit", "says", "output of", "same output", "columns of", "same as"}
# What stands for something of the reader's.
PLACES = {"REGISTRY/shm-operator": "shm-operator", "TAG": "dev"}

Entry = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Block:
    language: str
    text: str


def documents() -> list[str]:
    return [str(path.relative_to(ROOT)) for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]]


def all_blocks(document: str) -> list[Block]:
    found = re.findall(r"^```(\S*)[^\n]*\n(.*?)^```", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)
    return [Block(language, text) for language, text in found]


def blocks(document: str) -> list[Block]:
    return [block for block in all_blocks(document) if block.language not in DATA]


def table() -> dict[str, Any]:
    return yaml.safe_load((HERE / "blocks.yaml").read_text())


def faults_of_names(files: dict[str, Any]) -> list[str]:
    """What the table has too much, too little or wrong."""
    faults = [f"{name} is in blocks.yaml and has no blocks" for name in files if name not in documents() or not blocks(name)]
    for document in documents():
        entries = files.get(document, {}).get("blocks", [])
        found = blocks(document)
        for number in range(max(len(entries), len(found))):
            entry = entries[number] if number < len(entries) else None
            text = found[number].text if number < len(found) else None
            if entry is None or text is None or not text.startswith(entry["begins"]):
                begins = text.splitlines()[0] if text else "is not there"
                faults.append(f"{document}, block {number + 1} `{begins}`: blocks.yaml says `{entry['begins'] if entry else 'nothing'}`")
                break
            faults += [f"{document}, `{entry['begins']}`: {fault}" for fault in faults_of_entry(entry, found[number])]
    return faults


def faults_of_entry(entry: Entry, block: Block) -> list[str]:
    faults = [f"no such key: {key}" for key in entry.keys() - KEYS]
    if entry["run"] not in RUN | NOT_RUN:
        faults.append(f"no such way to run it: {entry['run']}")
    if entry["run"] in NOT_RUN and not (entry.get("why") or entry.get("output of")):
        faults.append("it is not run, and nothing says why")
    if "same as" in entry and not any(block.text in other.text for other in all_blocks(entry["same as"])):
        faults.append(f"{entry['same as']} has no such block")
    for key in ("leave", "exit"):
        unknown = [start for start in entry.get(key, {}) if not any(c.startswith(start) for c in commands_of(block.text))]
        faults += [f"{key}: there is no command `{start}`" for start in unknown]
    return faults


def commands_of(text: str) -> list[str]:
    """The commands of a block: lines that end in a backslash go on. Of a console, what follows `$ `."""
    lines = re.sub(r"\\\n", "", text).splitlines()
    if text.startswith("$ "):
        return [line[2:] for line in lines if line.startswith("$ ")]
    return [line for line in lines if line.strip()]


def shown_by(text: str) -> str:
    """What a console shows of its commands."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("$ "))


class Failed(Exception):
    pass


class Runner:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.outputs: dict[str, str] = {}
        self.commands = 0
        home = folder / "home"
        home.mkdir()
        shmctl = os.environ.get("SHM_BIN_DIR") or str(ROOT / "build/dev/bin")
        (folder / "bin").mkdir()
        (folder / "bin/shmctl").symlink_to(pathlib.Path(shmctl, "shmctl").resolve())
        self.environment = {**os.environ, "HOME": str(home), "PATH": f"{folder}/bin:{os.environ['PATH']}"}

    def shell(self, command: str, expected: int = 0) -> str:
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=self.folder, env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
        if done.returncode != expected:
            raise Failed(f"{command}\n  ended with {done.returncode}, and not with {expected}:\n{done.stdout}")
        return done.stdout

    def run(self, entry: Entry, block: Block) -> None:
        for command in entry.get("before", []):
            self.shell(command)
        written = ""
        for command in commands_of(block.text):
            if any(command.startswith(start) for start in entry.get("leave", {})):
                continue
            changed = command
            for place, value in {**PLACES, **entry.get("edit", {})}.items():
                changed = changed.replace(place, value)
            output = self.shell(changed, next((code for start, code in entry.get("exit", {}).items() if command.startswith(start)), 0))
            self.outputs[command] = output
            self.commands += 1
            written += output
        self.look_at(entry, block, written)
        for command in entry.get("after", []):
            self.shell(command)

    def look_at(self, entry: Entry, block: Block, written: str) -> None:
        for word in entry.get("says", []):
            if word not in written:
                raise Failed(f"`{word}` is not in what it says:\n{written}")
        if entry.get("same output") and shown_by(block.text).strip() not in written:
            raise Failed(f"the docs show\n{shown_by(block.text)}\nand it says\n{written}")
        if "columns of" in entry:  # of a table whose rows are an example
            shown, real = (next(line.split() for line in text.splitlines() if line.startswith(entry["columns of"]))
                           for text in (shown_by(block.text), written))
            if shown != real:
                raise Failed(f"the docs show the columns {shown}, and it has {real}")

    def show(self, entry: Entry, block: Block) -> None:
        """A block that is not run, and shows what a command of before has written."""
        start = entry.get("output of")
        if start and not any(command.startswith(start) and block.text.strip() in output for command, output in self.outputs.items()):
            raise Failed(f"`{start}` does not write what the docs show:\n{block.text}\nbut\n" +
                         "\n".join(output for command, output in self.outputs.items() if command.startswith(start)))


def prepare(folder: pathlib.Path) -> None:
    for name in ("charts", "deploy"):
        (folder / name).symlink_to(ROOT / name)
    for path in (HERE / "fixtures").iterdir():
        (folder / path.name).symlink_to(path)
    for document in documents():
        data = [block.text for block in all_blocks(document) if block.language == "yaml"]
        for number, text in enumerate(data, 1):
            (folder / f"{pathlib.Path(document).name}.{number}.yaml").write_text(text)


def run_document(runner: Runner, document: str, plan: dict[str, Any]) -> None:
    prepare_and_clear(runner, document, "setup", plan)
    for entry, block in zip(plan["blocks"], blocks(document), strict=True):
        began = time.monotonic()
        try:
            (runner.run if entry["run"] in RUN else runner.show)(entry, block)
        except Failed as failure:
            raise Failed(f"{document}, `{entry['begins']}`: {failure}") from None
        done = "run" if entry["run"] in RUN else f"not run: {entry['run']}, {entry.get('why') or 'output of ' + entry['output of']}"
        print(f"  {document}, `{entry['begins']}`: {done} ({time.monotonic() - began:.0f} s)", flush=True)
        for start, why in entry.get("leave", {}).items():
            print(f"    left out: {start}: {why}")
    prepare_and_clear(runner, document, "teardown", plan)


def prepare_and_clear(runner: Runner, document: str, what: str, plan: dict[str, Any]) -> None:
    began = time.monotonic()
    for command in plan.get(what, []):
        runner.shell(command)
    if what in plan:
        print(f"  {document}, {what} ({time.monotonic() - began:.0f} s)", flush=True)


def run() -> None:
    known = table()
    files = known["files"]
    last = [name for name in files if name not in known["order"]]
    with tempfile.TemporaryDirectory() as folder:
        prepare(pathlib.Path(folder))
        runner = Runner(pathlib.Path(folder))
        for document in [*known["order"], *last]:
            run_document(runner, document, files[document])
    print(f"the docs: {runner.commands} commands did what they should")


def main() -> int:
    faults = faults_of_names(table()["files"])
    if not faults and sys.argv[1:] == ["run"]:
        try:
            run()
        except Failed as failure:
            faults = [str(failure)]
    elif sys.argv[1:] not in (["names"], ["run"]):
        raise SystemExit(__doc__)
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults and sys.argv[1:] == ["names"]:
        print(f"all {sum(len(blocks(document)) for document in documents())} blocks of the docs are named")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
