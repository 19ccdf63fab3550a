#!/usr/bin/env python3
"""shmctl inside of the tools that people use it in: kubectl as a plugin, kustomize as a function, shells.

    tools_test.py [-v]      wants kubectl and kustomize on the PATH (tests/cluster/build.sh control-plane
                            kustomize prints where they are); SHMCTL: the program (build/dev/bin/shmctl)

bash, zsh and fish are installed by scripts/install-deps.sh cluster.
"""
import json
import os
import pathlib
import pty
import shutil
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SHMCTL = pathlib.Path(os.environ.get("SHMCTL", HERE.parents[1] / "build/dev/bin/shmctl")).resolve()


class ToolsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        for name in ("shmctl", "kubectl-shm", "kubectl_complete-shm"):
            os.symlink(SHMCTL, pathlib.Path(cls.folder.name) / name)
        # No cluster, whatever this machine has.
        cls.environment = dict(os.environ, PATH=f"{cls.folder.name}:{os.environ['PATH']}", KUBECONFIG="/dev/null")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_tool(self, *arguments, code=0, text=""):
        done = subprocess.run(arguments, env=self.environment, input=text, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def test_kubectl_finds_the_plugin(self):
        self.assertIn("kubectl-shm", self.run_tool("kubectl", "plugin", "list"))

    def test_kubectl_shm_is_shmctl(self):
        through = self.run_tool("kubectl", "shm", "size", "--tp", "2")
        self.assertEqual(through, self.run_tool("shmctl", "size", "--tp", "2"))
        self.assertIn("2Gi", through)
        self.assertIn("kubectl shm size", self.run_tool("kubectl", "shm", "size", "--help"))

    def test_kubectl_passes_on_exit_codes_and_standard_input(self):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [
            {"name": "c", "resources": {"limits": {"nvidia.com/gpu": 2}}}]}}
        self.assertIn("[NotCovered]", self.run_tool("kubectl", "shm", "check", code=1, text=json.dumps(pod)))
        self.run_tool("kubectl", "shm", "size", "--tp", "none", code=2)

    def test_who_types_a_command_alone_is_told_what_it_waits_for(self):
        for command in ("check", "render"):
            ours, its = pty.openpty()
            with self.subTest(command), subprocess.Popen(["shmctl", command], env=self.environment, stdin=its, text=True,
                                                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
                self.assertIn("standard input", process.stderr.readline())
                os.write(ours, b"\x04")  # what Ctrl-D sends: the end of the input
                self.assertEqual(process.wait(timeout=60), 0)
            os.close(ours)
            os.close(its)

    def test_kubectl_completes_the_plugin(self):
        def offered(*words):
            return [line.split("\t")[0] for line in self.run_tool("kubectl", "__complete", "shm", *words).splitlines()]
        self.assertIn("scan", offered(""))
        self.assertEqual(offered("check", "--webhook", "a")[0], "absent")

    def test_kustomize_sizes_pods_through_krm(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(HERE / "kustomize", folder, dirs_exist_ok=True)
            built = self.run_tool("kustomize", "build", "--enable-alpha-plugins", "--enable-exec", folder)
        self.assertIn("sizeLimit: 6Gi", built)
        self.assertIn("mountPath: /dev/shm", built)
        self.assertIn("name: beside", built)
        # What was built needs no more.
        again = self.run_tool("shmctl", "check", "--webhook", "absent", "--size-per-gpu", "3Gi", text=built)
        self.assertEqual(again, "")

    def test_shells_take_their_scripts(self):
        for shell in ("bash", "zsh", "fish"):
            with self.subTest(shell=shell):
                script = self.run_tool("shmctl", "completion", shell)
                with tempfile.NamedTemporaryFile("w") as file:
                    file.write(script)
                    file.flush()
                    self.run_tool(shell, "--no-execute" if shell == "fish" else "-n", file.name)

    def test_fish_completes(self):
        ask = "shmctl completion fish | source; complete -C 'shmctl check --webhook '"
        offered = self.run_tool("fish", "--no-config", "-c", ask).split()
        self.assertEqual(sorted(offered), ["absent", "everywhere", "installed"])


if __name__ == "__main__":
    unittest.main()
