#!/usr/bin/env python3
"""Writes what the image is made of as SPDX 2.3 JSON.

    sbom.py ROOT VERSION >shm-operator.spdx.json

ROOT is what deploy/image/collect.sh laid out. Each library in it is traced to its Debian package by
dpkg, with version and checksum; the packages of headers that are compiled in are named as such. What
ROOT, the versions and SOURCE_DATE_EPOCH (0) say is all that goes in: the same gives the same bytes.
"""
import datetime
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import urllib.parse

# Compiled into the programs: no file of these is in the image.
HEADERS_ONLY = ("libboost1.74-dev", "libcli11-dev", "nlohmann-json3-dev")
PROGRAMS = "usr/local/bin"


def dpkg_output(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def package_of(library):
    """The package that a library of this machine is from. /lib may be a link to /usr/lib."""
    for path in (library, os.path.realpath(library), f"*/{os.path.basename(library)}"):
        found = dpkg_output("dpkg", "-S", path)
        if found:
            return found.splitlines()[0].split(":")[0]
    raise SystemExit(f"sbom.py: no Debian package has {library}")


def debian_package(name):
    fields = "${Version}\t${Architecture}\t${source:Package}\t${Homepage}"
    found = dpkg_output("dpkg-query", "-W", "-f", fields, name)
    if not found:
        raise SystemExit(f"sbom.py: {name} is not installed")
    version, architecture, source, homepage = found.split("\t")
    return {
        "SPDXID": f"SPDXRef-Package-{name}",
        "name": name,
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "homepage": homepage or "NOASSERTION",
        "sourceInfo": f"Debian source package {source}",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{name}@{urllib.parse.quote(version)}?arch={architecture}",
        }],
    }


def own_package(version):
    return {
        "SPDXID": "SPDXRef-Package-shm-operator",
        "name": "shm-operator",
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "CONTAINER",
    }


def file_entry(root, path):
    name = "./" + path.relative_to(root).as_posix()
    content = path.read_bytes()
    return {
        "SPDXID": "SPDXRef-File-" + hashlib.sha256(name.encode()).hexdigest()[:16],
        "fileName": name,
        "checksums": [{"algorithm": kind.upper(), "checksumValue": hashlib.new(kind, content).hexdigest()}
                      for kind in ("sha1", "sha256")],
        "licenseConcluded": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }


def relation(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def document(root, version):
    own = own_package(version)
    packages, files, relations = {}, [], [relation("SPDXRef-DOCUMENT", "DESCRIBES", own["SPDXID"])]
    for path in sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
        name = path.relative_to(root).as_posix()
        if name.startswith(PROGRAMS):
            owner = own["SPDXID"]
        elif ".so" in path.name:
            package = package_of("/" + name)
            packages.setdefault(package, debian_package(package))
            owner = packages[package]["SPDXID"]
        else:
            continue
        files.append(file_entry(root, path))
        relations.append(relation(owner, "CONTAINS", files[-1]["SPDXID"]))
    relations += [relation(own["SPDXID"], "DYNAMIC_LINK", packages[name]["SPDXID"]) for name in sorted(packages)]
    for name in HEADERS_ONLY:
        packages[name] = debian_package(name)
        relations.append(relation(own["SPDXID"], "STATIC_LINK", packages[name]["SPDXID"]))
    return assemble(version, [own] + [packages[name] for name in sorted(packages)], files, relations)


def assemble(version, packages, files, relations):
    made = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.timezone.utc)
    content = hashlib.sha256(json.dumps([packages, files, relations]).encode()).hexdigest()
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"shm-operator-{version}",
        # Has to be unique, and need not lead anywhere.
        "documentNamespace": f"https://shm-operator.dev/spdx/shm-operator-{version}-{content[:32]}",
        "creationInfo": {
            "created": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": [f"Tool: shm-operator-sbom-{version}"],
        },
        "packages": packages,
        "files": files,
        "relationships": relations,
    }


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__.split("\n\n")[1].strip())
    json.dump(document(pathlib.Path(sys.argv[1]), sys.argv[2]), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
