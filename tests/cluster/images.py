#!/usr/bin/env python3
"""Writes the two images that pods of the test cluster need, from Debian's static busybox.

    images.py DIRECTORY     writes local-pause.tar (local/pause:1) and local-busybox.tar (local/busybox:1)

Both are docker-archives, as `docker save` writes them, with every applet of busybox as a link in /bin.
The same busybox gives the same bytes.
"""
import hashlib
import io
import json
import pathlib
import platform
import subprocess
import sys
import tarfile

BUSYBOX = "/bin/busybox"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def add(tar, name, data=b"", kind=tarfile.REGTYPE, mode=0o755, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.size = kind, mode, link, len(data)
    tar.addfile(info, io.BytesIO(data))


def layer(busybox, applets):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in ("bin", "etc", "dev", "proc", "sys"):
            add(tar, name, kind=tarfile.DIRTYPE)
        add(tar, "tmp", kind=tarfile.DIRTYPE, mode=0o1777)
        add(tar, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\nnonroot:x:65532:65532::/:/bin/sh\n", mode=0o644)
        add(tar, "bin/busybox", busybox)
        for applet in applets:
            add(tar, f"bin/{applet}", kind=tarfile.SYMTYPE, link="busybox")
    return buffer.getvalue()


def image(path, reference, content, entrypoint=None, command=None):
    digest = hashlib.sha256(content).hexdigest()
    config = json.dumps({
        "architecture": ARCHITECTURE, "os": "linux", "history": [{}],
        "config": {"Entrypoint": entrypoint, "Cmd": command, "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [reference], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(path, "w") as tar:
        add(tar, "layer.tar", content, mode=0o644)
        add(tar, name, config, mode=0o644)
        add(tar, "manifest.json", manifest, mode=0o644)


def main():
    directory = pathlib.Path(sys.argv[1])
    busybox = pathlib.Path(BUSYBOX).read_bytes()
    if b"/ld-linux" in busybox:
        sys.exit(f"{BUSYBOX} is not static: install Debian's busybox-static")
    listed = subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True).stdout.split()
    content = layer(busybox, [applet for applet in listed if applet != "busybox"])
    image(directory / "local-pause.tar", "local/pause:1", content, entrypoint=["/bin/sleep", "2147483647"])
    image(directory / "local-busybox.tar", "local/busybox:1", content, command=["/bin/sh"])


main()
