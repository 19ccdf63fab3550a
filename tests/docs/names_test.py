#!/usr/bin/env python3
"""blocks.yaml names every block of the docs, and docs_test.py refuses what it does not name. Links of the docs lead somewhere."""

import copy
import pathlib
import re
import tempfile
import unittest
from unittest import mock

import docs_test


class NamesTest(unittest.TestCase):
    def setUp(self):
        self.files = docs_test.table()["files"]

    def faults_with(self, **replaced):
        """What is wrong where a document has these blocks."""
        real = docs_test.all_blocks
        with mock.patch.object(docs_test, "all_blocks", lambda document: replaced.get(document.replace("/", "_").replace(".", "_"), real(document))):
            return docs_test.faults_of_names(self.files)

    def test_every_block_of_the_docs_is_named(self):
        self.assertEqual(docs_test.faults_of_names(self.files), [])

    def test_a_block_that_nobody_named_is_refused(self):
        for language in ("", "sh", "console", "text"):
            more = [*docs_test.all_blocks("docs/faq.md"), docs_test.Block(language, "kubectl get pods\n")]
            with self.subTest(language):
                self.assertRegex(" ".join(self.faults_with(docs_faq_md=more)), "docs/faq.md.*kubectl get pods")

    def test_data_needs_no_name(self):
        self.assertEqual(self.faults_with(docs_faq_md=[docs_test.Block("yaml", "a: 1\n")]), [])

    def test_a_block_that_is_gone_or_changed_is_refused(self):
        blocks = docs_test.all_blocks("docs/install.md")
        self.assertRegex(" ".join(self.faults_with(docs_install_md=blocks[1:])), "docs/install.md, block 1")
        changed = [docs_test.Block("", "kubectl create -f it\n"), *blocks[1:]]
        self.assertRegex(" ".join(self.faults_with(docs_install_md=changed)), "kubectl create -f it")

    def test_what_is_not_run_has_a_reason(self):
        block = docs_test.Block("", "kubectl get pods\n")
        for entry, fault in [({"begins": "k", "run": "gpu"}, "nothing says why"),
                             ({"begins": "k", "run": "later", "why": "x"}, "no such way"),
                             ({"begins": "k", "run": "cluster", "leave": {"helm": "x"}}, "there is no command `helm`"),
                             ({"begins": "k", "run": "cluster", "sayz": []}, "no such key"),
                             ({"begins": "k", "run": "elsewhere", "why": "x", "same as": "README.md"}, "has no such block")]:
            with self.subTest(fault):
                self.assertIn(fault, " ".join(docs_test.faults_of_entry(copy.deepcopy(entry), block)))

    def test_a_command_goes_on_after_a_backslash_and_a_console_has_its_own(self):
        self.assertEqual(docs_test.commands_of("a \\\n  b\n\nc\n"), ["a   b", "c"])
        self.assertEqual(docs_test.commands_of("$ a\nsays\n$ b\n"), ["a", "b"])
        self.assertEqual(docs_test.shown_by("$ a\nsays\n"), "says")

    def test_all_files_that_are_run_in_order_are_there(self):
        self.assertLessEqual(set(docs_test.table()["order"]), set(self.files))


# What users read; each link of it that leads to a file of ours.
READ = ["README.md", "RELEASING.md", "docs/**/*.md", "charts/**/*.md", "deploy/**/*.md"]


def prose(path: pathlib.Path) -> str:
    return re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)


def anchors(path: pathlib.Path) -> set[str]:
    """Of a file's headings, as code hosts make them."""
    headings = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def dead_links(path: pathlib.Path) -> list[str]:
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        if not re.match(r"https?:", link) and (not target.exists() or anchor and anchor not in anchors(target)):
            dead.append(f"{path}: {link}")
    return dead


class LinksTest(unittest.TestCase):
    def test_every_link_leads_to_a_file_and_a_heading_that_are_there(self):
        files = [path for pattern in READ for path in docs_test.ROOT.glob(pattern)]
        self.assertGreater(len(files), 20)
        self.assertEqual([link for path in files for link in dead_links(path)], [])

    def test_a_dead_link_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "a.md")
            path.write_text("# To `be` there\n[a](#to-be-there) [b](a.md#to-be) [c](b.md) [d](https://example.com/x)\n```\n# no [e](x)\n```\n")
            self.assertEqual(dead_links(path), [f"{path}: a.md#to-be", f"{path}: b.md"])


if __name__ == "__main__":
    unittest.main()
