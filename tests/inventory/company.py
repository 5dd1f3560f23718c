"""A company in a folder: projects, trees, caches, logs, a repository. Some took axios 1.14.1, some nearly did.

Nothing of it is code that could run, and every host is one that cannot exist.
"""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BAD = datetime(2026, 3, 31, 0, 25, 12, tzinfo=UTC)
"""When whoever took it took it."""

AXIOS = {"version": "1.14.1", "dependencies": {"plain-crypto-js": "^4.2.1"}}
CRYPTO = {"version": "4.2.1", "hasInstallScript": True}


def write(path: Path, content: str | bytes, at: datetime = BAD) -> Path:
    """Write a file as it was at an instant."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def lockfile(*, bad: bool = True, direct: bool = True, **more: Any) -> str:
    """Return npm's lockfile of a project that asks for axios, or for what asks for it."""
    packages: dict[str, Any] = {"": {"dependencies": {"axios" if direct else "sdk": "^1.0.0"}, **more}}
    packages["node_modules/axios"] = AXIOS if bad else {"version": "1.14.0"}
    if bad:
        packages["node_modules/plain-crypto-js"] = CRYPTO
    if not direct:
        packages["node_modules/sdk"] = {"version": "1.0.0", "dependencies": {"axios": "^1.13.0"}}
    return json.dumps({"name": "x", "lockfileVersion": 3, "packages": packages}, indent=2)


def tree(folder: Path, *, crypto: str | None = "4.2.0") -> None:
    """Install a tree as npm does; ``crypto`` is what the manifest of the dropper says afterwards, None: it is gone."""
    modules = folder / "node_modules"
    hidden = json.loads(lockfile())
    del hidden["packages"][""]
    write(modules / ".package-lock.json", json.dumps(hidden))
    write(modules / "axios" / "package.json", json.dumps({"name": "axios", "version": "1.14.1"}))
    if crypto is None:
        (modules / "plain-crypto-js").mkdir(parents=True)
    else:
        write(modules / "plain-crypto-js" / "package.json", json.dumps({"name": "plain-crypto-js", "version": crypto}))


def cache(folder: Path, *addresses: str) -> None:
    """Fill npm's cache with the records of archives."""
    lines = ""
    for address in addresses:
        key = f"make-fetch-happen:request-cache:{address}"
        record = json.dumps({"key": key, "integrity": "sha512-AA==", "time": BAD.timestamp() * 1000})
        lines += f"\n0000\t{record}"
    write(folder / "_cacache" / "index-v5" / "aa" / "bb" / "cc", lines)


def git(folder: Path, *words: str, at: datetime = BAD) -> str:
    """Run git in a repository of the test's own, at an instant; return what it printed."""
    names = {"NAME": "A", "EMAIL": "a@b.invalid", "DATE": at.isoformat()}
    environ = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in names.items()}
    environ |= {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, env=environ)
    return done.stdout.decode().strip()


def commit(folder: Path, name: str, content: str | None, at: datetime) -> None:
    """Commit one file, or its end."""
    if not (folder / ".git").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q", "-b", "main")
    if content is None:
        git(folder, "rm", "-q", name)
    else:
        write(folder / name, content)
        git(folder, "add", name)
    git(folder, "commit", "-q", "-m", "change", at=at)
