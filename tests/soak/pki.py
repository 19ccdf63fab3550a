"""Keys, certificates and kubeconfigs: those of tests/cluster/lib.sh, and such as end when they are told."""

from __future__ import annotations

import datetime
import pathlib
import secrets
import subprocess

CLUSTER = pathlib.Path(__file__).parents[1] / "cluster"


def lib(function: str, *arguments: str) -> str:
    """What a function of tests/cluster/lib.sh prints."""
    script = f'set -euo pipefail; . "$0"; {function} "$@"'
    return subprocess.run(["bash", "-c", script, str(CLUSTER / "lib.sh"), *arguments], check=True,
                          capture_output=True, text=True).stdout


class Pki:
    """The cluster's authority and what it signs, in one folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        lib("MakeCa", str(folder))
        lib("MakeServiceAccountKey", str(folder))

    def path(self, name: str) -> pathlib.Path:
        return self.folder / name

    def make(self, name: str, subject: str, names: str) -> None:
        lib("MakeCert", str(self.folder), name, subject, names)

    def make_ending(self, name: str, subject: str, names: str, seconds: float) -> None:
        """One that ends `seconds` from now, or ended if that is below 0. Its key is a new one."""
        sign_ending(self.folder, name, subject, names, seconds)

    def kubeconfig(self, server: str, name: str) -> str:
        return lib("Kubeconfig", server, str(self.folder), name)

    def token_kubeconfig(self, server: str, token_file: pathlib.Path) -> str:
        return f"""apiVersion: v1
kind: Config
clusters: [{{name: test, cluster: {{server: "{server}", certificate-authority: {self.path("ca.crt")}}}}}]
users: [{{name: it, user: {{tokenFile: {token_file}}}}}]
contexts: [{{name: test, context: {{cluster: test, user: it}}}}]
current-context: test
"""


def sign_ending(folder: pathlib.Path, name: str, subject: str, names: str, seconds: float) -> None:
    """By the ca.crt and ca.key of `folder`. `openssl x509` knows days only; `openssl ca` knows dates."""
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    begin = min(end, datetime.datetime.now(datetime.timezone.utc)) - datetime.timedelta(hours=1)
    work = folder / f"{name}.work"
    work.mkdir(exist_ok=True)
    (work / "index").write_text("")
    (work / "serial").write_text(secrets.token_hex(8))
    (work / "config").write_text(f"""[ca]
default_ca = it
[it]
database = {work}/index
serial = {work}/serial
new_certs_dir = {work}
policy = any
default_md = sha256
unique_subject = no
x509_extensions = extensions
[any]
commonName = supplied
organizationName = optional
[extensions]
basicConstraints = CA:FALSE
subjectAltName = {names}
extendedKeyUsage = serverAuth, clientAuth
""")
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
             "-keyout", f"{folder}/{name}.key", "-out", f"{work}/csr")
    _openssl("ca", "-batch", "-notext", "-config", f"{work}/config", "-cert", f"{folder}/ca.crt",
             "-keyfile", f"{folder}/ca.key", "-startdate", _date(begin),
             "-enddate", _date(end), "-in", f"{work}/csr", "-out", f"{folder}/{name}.crt")


def _date(when: datetime.datetime) -> str:
    return when.strftime("%Y%m%d%H%M%SZ")


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr}")
