#!/usr/bin/env python3
"""Packs the image twice and looks into it: the same bytes, small, without a shell, not root, labelled,
and nothing in it that its SBOM does not name.

    image_test.py [-v]      SHM_BIN_DIR: where the programs are (build/release/bin)
"""
import hashlib
import json
import os
import pathlib
import re
import subprocess
import tarfile
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN_DIR = pathlib.Path(os.environ.get("SHM_BIN_DIR", "build/release/bin")).resolve()
MOST_BYTES = 30_000_000
SHELLS_AND_TOOLS = {"sh", "bash", "dash", "busybox", "apt", "dpkg", "env", "ls"}
# As SPDX 2.3 requires them.
DOCUMENT_FIELDS = ("spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo")
PACKAGE_FIELDS = ("SPDXID", "name", "downloadLocation")
FILE_FIELDS = ("SPDXID", "fileName", "checksums")


def pack(path, umask):
    """Packs the programs as another user on another day might."""
    environment = dict(os.environ, TZ="Pacific/Auckland")
    subprocess.run(["deploy/image/build.sh", str(path)], cwd=ROOT, env=environment, check=True, umask=umask,
                   capture_output=True)
    return hashlib.sha256(path.read_bytes()).hexdigest()


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        cls.first = pack(folder / "first.tar", 0o022)
        time.sleep(1.1)  # a file's time is kept by the second
        cls.second = pack(folder / "second.tar", 0o077)
        with tarfile.open(folder / "first.tar") as archive:
            manifest = json.load(archive.extractfile("manifest.json"))
            cls.config = json.load(archive.extractfile(manifest[0]["Config"]))
            cls.files = {}
            for layer in manifest[0]["Layers"]:
                with tarfile.open(fileobj=archive.extractfile(layer)) as files:
                    cls.files.update((member.name.strip("/"), member) for member in files)
        cls.sbom = json.loads(subprocess.run(
            ["deploy/image/sbom.py", "build/image/rootfs", (ROOT / "VERSION").read_text().strip()],
            cwd=ROOT, check=True, capture_output=True, text=True).stdout)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_same_programs_give_the_same_bytes(self):
        self.assertEqual(self.first, self.second)

    @unittest.skipIf(BIN_DIR.parent.name == "dev", "programs that are not optimized are larger")
    def test_it_is_small(self):
        size = sum(member.size for member in self.files.values())
        print(f"image: {size} bytes in {len(self.files)} files")
        self.assertGreater(size, 5_000_000)
        self.assertLess(size, MOST_BYTES)

    def test_it_has_the_programs_and_no_shell(self):
        names = {name for name in self.files if name.startswith("usr/local/bin/")}
        self.assertEqual(names, {f"usr/local/bin/{name}" for name in (
            "shm-operator", "shm-webhook", "shmctl", "kubectl-shm", "kubectl_complete-shm")})
        executables = {name.rpartition("/")[2] for name, member in self.files.items()
                       if member.isfile() and member.mode & 0o111}
        self.assertFalse(executables & SHELLS_AND_TOOLS)
        others = [name for name in executables if ".so" not in name and f"usr/local/bin/{name}" not in names]
        self.assertEqual(others, [])

    def test_everybody_may_read_it_and_nobody_write(self):
        for name, member in self.files.items():
            with self.subTest(name=name):
                self.assertEqual((member.uid, member.gid), (0, 0))
                if member.issym() or name == "tmp":
                    continue
                self.assertEqual(member.mode & 0o022, 0)
                self.assertEqual(member.mode & 0o444, 0o444)

    def test_it_runs_as_nobody_in_particular(self):
        self.assertEqual(self.config["config"]["User"], "65532:65532")

    def test_labels_say_what_it_is_and_where_it_is_from(self):
        labels = {name.rpartition("org.opencontainers.image.")[2]: value
                  for name, value in self.config["config"]["Labels"].items()}
        self.assertEqual(labels["version"], (ROOT / "VERSION").read_text().strip())
        self.assertRegex(labels["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(labels["title"], "shm-operator")
        self.assertRegex(labels["revision"], "^[0-9a-f]{40}$")
        self.assertTrue(labels["description"])

    def test_its_sbom_has_the_fields_that_spdx_requires(self):
        for field in DOCUMENT_FIELDS:
            self.assertTrue(self.sbom[field], field)
        self.assertEqual(self.sbom["spdxVersion"], "SPDX-2.3")
        self.assertEqual(self.sbom["dataLicense"], "CC0-1.0")
        self.assertTrue(self.sbom["creationInfo"]["creators"])
        for entries, fields in (("packages", PACKAGE_FIELDS), ("files", FILE_FIELDS)):
            for entry in self.sbom[entries]:
                for field in fields:
                    self.assertTrue(entry[field], (entry, field))
        ids = [entry["SPDXID"] for entries in ("packages", "files") for entry in self.sbom[entries]]
        self.assertEqual(len(ids), len(set(ids)))
        for one in ids:
            self.assertTrue(re.fullmatch(r"SPDXRef-[A-Za-z0-9.+-]+", one), one)
        known = set(ids) | {"SPDXRef-DOCUMENT"}
        for relation in self.sbom["relationships"]:
            self.assertIn(relation["spdxElementId"], known)
            self.assertIn(relation["relatedSpdxElement"], known)

    def test_every_program_and_library_of_the_image_is_in_the_sbom(self):
        named = {entry["fileName"].removeprefix("./") for entry in self.sbom["files"]}
        programs = {name for name, member in self.files.items()
                    if member.isfile() and (".so" in name or name.startswith("usr/local/bin/"))}
        self.assertEqual(named, programs)


if __name__ == "__main__":
    unittest.main()
