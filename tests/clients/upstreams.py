"""Real registries on loopback, each with folders of its own: Verdaccio for npm, pypiserver and devpi for PyPI."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path
from types import MappingProxyType
from urllib.request import ProxyHandler, Request, build_opener

from tests.clients.packages import File, NpmPackage, packument
from tests.clients.rig import environment, free_port, program, run, serving

_VERDACCIO = """\
storage: ./storage
auth: {{htpasswd: {{file: ./htpasswd, max_users: -1}}}}
packages: {{"@*/*": &everyone {{access: $all, publish: $all, unpublish: $all}}, "**": *everyone}}
log: {{type: stdout, format: json, level: warn}}
web: {{enable: false}}
max_body_size: 100mb
listen: 127.0.0.1:{port}
"""
"""No uplinks: what was not put there does not exist. ``publish: $all`` takes a publication without a password."""


@contextmanager
def verdaccio(
    folder: Path,
    packages: Iterable[Sequence[NpmPackage]] = (),
    port: int = 0,
    users: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[str]:
    """Serve npm packages, each a sequence of its versions, and yield the registry's address, with a slash at its end.

    ``users`` are names with their passwords.
    The packages are laid into the storage as Verdaccio itself keeps them: a test chooses when each was published.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for versions in packages:
        lay(folder / "storage", versions)
    sealed = (f"{user}:{{SHA}}{b64encode(sha1(word.encode()).digest()).decode()}\n" for user, word in users.items())
    (folder / "htpasswd").write_text("".join(sealed), encoding="utf-8")
    port = port or free_port()
    (folder / "config.yaml").write_text(_VERDACCIO.format(port=port), encoding="utf-8")
    url = f"http://127.0.0.1:{port}/"
    command = [program("verdaccio"), "--config", str(folder / "config.yaml")]
    with serving(command, f"{url}-/ping", folder, environment(folder)):
        yield url


def lay(storage: Path, versions: Sequence[NpmPackage], latest: str = "") -> None:
    """Lay a package into Verdaccio's storage."""
    place = storage / versions[0].name
    place.mkdir(parents=True, exist_ok=True)
    (place / "package.json").write_text(json.dumps(packument(versions, latest)), encoding="utf-8")
    for one in versions:
        (place / one.filename).write_bytes(one.tarball)


@contextmanager
def pypiserver(folder: Path, files: Iterable[File] = (), port: int = 0) -> Iterator[str]:
    """Serve distributions and yield the index's address, with a slash at its end. It tells no times."""
    place = folder / "packages"
    place.mkdir(parents=True, exist_ok=True)
    for file in files:
        (place / file.filename).write_bytes(file.data)
    port = port or free_port()
    command = [
        program("pypi-server"), "run", "--interface", "127.0.0.1", "--port", str(port), "--disable-fallback",
        "--hash-algo", "sha256", "--authenticate", ".", "--passwords", ".", str(place),
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}/"
    with serving(command, f"{url}simple/", folder, environment(folder)):
        yield f"{url}simple/"


@contextmanager
def devpi(folder: Path, files: Iterable[File] = (), port: int = 0) -> Iterator[str]:
    """Serve distributions from an index without a mirror behind it, and yield the index's address."""
    folder.mkdir(parents=True, exist_ok=True)
    state, env = str(folder / "state"), environment(folder)
    made = run([program("devpi-init"), "--serverdir", state, "--no-root-pypi"], folder, env)
    if made.code:
        raise RuntimeError(f"devpi-init: {made.output}")
    port = port or free_port()
    command = [program("devpi-server"), "--serverdir", state, "--host", "127.0.0.1", "--port", str(port)]
    root = f"http://127.0.0.1:{port}"
    with serving(command, f"{root}/+api", folder, env):
        token = _asked(f"{root}/+login", "POST", {"user": "root", "password": ""})["result"]["password"]
        authorization = _basic("root", token)
        _asked(f"{root}/root/tests", "PUT", {"bases": [], "volatile": True}, authorization)
        for file in files:
            _upload(f"{root}/root/tests/", file, authorization)
        yield f"{root}/root/tests/+simple/"


def _basic(user: str, password: str) -> str:
    return b64encode(f"{user}:{password}".encode()).decode()


def _asked(url: str, method: str, body: object, authorization: str = "") -> dict[str, dict[str, str]]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if authorization:
        headers["X-Devpi-Auth"] = authorization
    request = Request(url, json.dumps(body).encode(), headers, method=method)
    with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
        found: dict[str, dict[str, str]] = json.load(answer)
        return found


def _upload(url: str, file: File, authorization: str) -> None:
    """Upload a distribution as twine does (the legacy upload form)."""
    is_wheel = file.filename.endswith(".whl")
    name, version = file.filename.removesuffix(".tar.gz").split("-")[:2]
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "name": name,
        "version": version,
        "filetype": "bdist_wheel" if is_wheel else "sdist",
        "pyversion": "py3" if is_wheel else "source",
    }
    line = "--lazaretto-boundary"
    parts = [
        f'{line}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n'.encode()
        for key, text in fields.items()
    ]
    disposition = f'Content-Disposition: form-data; name="content"; filename="{file.filename}"'
    body = b"".join([*parts, f"{line}\r\n{disposition}\r\n\r\n".encode(), file.data, f"\r\n{line}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={line[2:]}", "X-Devpi-Auth": authorization}
    build_opener(ProxyHandler({})).open(Request(url, body, headers, method="POST"), timeout=30).close()
