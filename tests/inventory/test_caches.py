"""The caches of clients, as each of them lays them out: what is cached was downloaded."""

import io
import json
import os
import sqlite3
import zipfile
from pathlib import Path

from lazaretto.core.inventory import Sign
from tests.inventory.company import lockfile, write
from tests.inventory.conftest import Person
from tests.inventory.images import layer, oci, packed

AT = 1_774_916_712  # 2026-03-31T00:25:12Z


def zipped(*names: str) -> bytes:
    """Return a zip of empty files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    return buffer.getvalue()


def put(path: Path, data: bytes | str) -> None:
    """Write a file with the time at which the release was out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    os.utime(path, (AT, AT))


def rows(person: Person, release: str) -> list[str]:
    """Return place, client and time of whoever has a release."""
    return [
        f"{one['place']['path'].removeprefix(str(person.folder) + '/')} {one['place']['client']} {one['first']}"
        for one in person.asks(release)["exposures"]
    ]


WHEN = "2026-03-31T00:25:12Z"


def pnpm(store: Path) -> None:
    """Write a store of each layout."""
    package = json.dumps({"name": "axios", "version": "1.14.1", "requiresBuild": True, "files": {}})
    put(store / "v3/files/aa/bbcc-index.json", package)
    put(store / "v3/files/aa/dd", "a file of a package")
    put(store / "v3/files/aa/ee/package-lock.json", lockfile())
    put(store / "v10/files/aa/dd", "")
    put(store / "v10/index/aa/bbcc-@s+b@1.0.0.json", '{"files": {}}')
    put(store / "v10/index/aa/ddee-axios@1.14.1.json", package)
    put(store / "v10/index/aa/ffff.json", '{"files": {}}')
    put(store / "v11/files/aa/dd", "")


def database(path: Path) -> None:
    """Write the index of a store of version 11."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE package_index (key TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID")
    keys = [("sha512-AA==\taxios@1.14.1",), ("https://r.invalid/x.tgz",), ("sha512-BB==\t@s/b@1.0.0",)]
    connection.executemany("INSERT INTO package_index VALUES (?, x'00')", keys)
    connection.commit()
    connection.close()


def test_pnpm_stores(person: Person) -> None:
    """Files of JSON among the others, apart from them, and a database; what lies in a package is no project."""
    pnpm(person.folder / "store")
    database(person.folder / "store/v11/index.db")
    assert person.adds(person.folder) == 0
    assert rows(person, "axios@1.14.1") == [
        f"store/v10 pnpm {WHEN}",
        "store/v11 pnpm None",
        f"store/v3 pnpm {WHEN}",
    ]
    assert rows(person, "@s/b@1.0.0") == [f"store/v10 pnpm {WHEN}", "store/v11 pnpm None"]
    assert person.asks("axios@1.14.1")["exposures"][0]["signs"] == [str(Sign.SCRIPT.name).lower()]
    put(person.folder / "store/v10/index/aa/ddee-axios@1.14.1.json", "{")
    (person.folder / "store/v11/index.db").write_bytes(b"no database" * 90)
    assert person.adds(person.folder) == 3
    told = str(person.asks("axios@1.14.1")["unread"])
    assert "/index/aa/ddee-axios@1.14.1.json" in told
    assert "the database cannot be read" in told


def test_yarn_caches(person: Person) -> None:
    """Version 1 by its metadata, later ones by the names of archives; a scope is told by the archive itself."""
    for name, package in {"npm-axios-1.14.1-aa-integrity": "axios", "npm-@s-b-1.0.0-bb": "@s/b"}.items():
        manifest = {"name": package, "version": "1.0.0" if "s-b" in name else "1.14.1"}
        folder = person.folder / "yarn/v6" / name / "node_modules" / package
        put(folder / ".yarn-metadata.json", json.dumps({"manifest": manifest}))
        put(folder / "package-lock.json", lockfile())
    put(person.folder / "yarn/v6/npm-c-1.0.0-cc/node_modules/c/.yarn-metadata.json", '{"manifest": {"name": 1}}')
    put(person.folder / "yarn/v6/npm-d-1.0.0-dd/node_modules/x", "")
    put(person.folder / "yarn/v6/.tmp/x", "")
    project = person.folder / "p/.yarn/cache"
    put(project / "axios-npm-1.14.1-0123456789-10c0.zip", b"")
    put(project / "@a-b-c-npm-1.0.0-rc.1-0123456789-10c0.zip", zipped("node_modules/", "node_modules/@a-b/c/x"))
    put(project / "@a-b-d-npm-1.0.0-0123456789-10c0.zip", zipped("node_modules/@a/x"))
    put(project / "@a-b-e-npm-1.0.0-0123456789-10c0.zip", b"no zip")
    put(project / "typescript-patch-0123456789-10c0.zip", b"")
    assert person.adds(person.folder) == 3
    assert rows(person, "axios@1.14.1") == [f"p/.yarn/cache yarn {WHEN}", f"yarn/v6 yarn {WHEN}"]
    assert rows(person, "@s/b@1.0.0") == [f"yarn/v6 yarn {WHEN}"]
    assert rows(person, "@a-b/c@1.0.0-rc.1") == [f"p/.yarn/cache yarn {WHEN}"]
    assert len(person.asks("axios@1.14.1")["unread"]) == 4


def bun(cache: Path) -> None:
    """Write Bun's cache."""
    put(cache / "axios@1.14.1@@@1/package.json", "{}")
    put(cache / "axios@1.14.1@@@1/package-lock.json", lockfile())
    put(cache / "@s/b@1.0.0-0a1b2c@@r.invalid@@@1/package.json", '{"version": "1.0.0-rc.1"}')
    put(cache / "axios/1.14.1@@@1", "")


def test_bun_caches(person: Person) -> None:
    """Folders by release; of a prerelease the manifest is asked."""
    bun(person.folder / "bun")
    put(person.folder / "bun/c@1.0.0-0a1b2c@@@1/package.json", "{")
    put(person.folder / "scoped/@s/b@1.0.0@@@1/package.json", "{}")
    assert person.adds(person.folder) == 3
    assert rows(person, "axios@1.14.1") == [f"bun bun {WHEN}"]
    assert rows(person, "@s/b@1.0.0-rc.1") == [f"bun bun {WHEN}"]
    assert rows(person, "@s/b@1.0.0") == [f"scoped bun {WHEN}"]
    assert "c@1.0.0-0a1b2c@@@1" in str(person.asks("axios@1.14.1")["unread"])


def uv(cache: Path) -> None:
    """Write uv's cache."""
    put(cache / "CACHEDIR.TAG", "")
    put(cache / "wheels-v8/pypi/litellm/1.82.7-py3-none-any.http", "")
    put(cache / "wheels-v8/pypi/only-resolved/1.0-py3-none-any.msgpack", "")
    put(cache / "wheels-v1/index/0a1b/some-thing/some_thing-1.0_x-py3-none-any.rev", "")
    put(cache / "sdists-v9/pypi/other/2.0/revision.http", "")
    put(cache / "sdists-v9/pypi/other/3.0/abc/metadata.msgpack", "")
    put(cache / "archive-v0/x/requirements.txt", "litellm==1.82.7")
    put(cache / "archive-v0/x/.venv/site-packages/litellm-1.82.7.dist-info/METADATA", "")


def test_uv_caches(person: Person) -> None:
    """Wheels that were downloaded and sources that were fetched; metadata alone is none."""
    uv(person.folder / "uv")
    assert person.adds(person.folder) == 0
    assert rows(person, "pypi:litellm@1.82.7") == [f"uv uv {WHEN}"]
    assert rows(person, "pypi:some-thing@1.0+x") == [f"uv uv {WHEN}"]
    assert rows(person, "pypi:other@2.0") == [f"uv uv {WHEN}"]
    assert not rows(person, "pypi:only-resolved@1.0")
    assert not rows(person, "pypi:other@3.0")


def pip(cache: Path) -> None:
    """Write pip's cache: an answer with its body apart, one with both, a source distribution, an index page."""
    body = zipped("litellm/__init__.py", "litellm-1.82.7.dist-info/METADATA")
    put(cache / "http-v2/a/b/c/d/e/abcd", "cc=4,")
    put(cache / "http-v2/a/b/c/d/e/abcd.body", body)
    put(cache / "http-v2/a/b/c/d/e/page.body", "<html>")
    put(cache / "http-v2/a/b/c/d/e/sdist.body", packed(layer({"thing-2.0/": b"", "thing-2.0/PKG-INFO": b"x"})))
    put(cache / "http-v2/a/b/c/d/e/odd.body", packed(layer({"odd": b""})))
    put(cache / "http/a/b/c/d/e/old", b"cc=4," + zipped("older-1.0.dist-info/METADATA") + b"headers")
    put(cache / "http/a/b/c/d/e/plain.body", zipped("no metadata"))
    put(cache / "selfcheck/x", "")
    put(cache / "wheels/aa/bb/built-1.0-py3-none-any.whl", b"")
    put(cache / "wheels/aa/bb/origin.json", b"")


def test_pip_caches(person: Person) -> None:
    """The archive tells what it is: pip's answers do not say what was asked for."""
    pip(person.folder / "pip")
    assert person.adds(person.folder) == 0
    for release in ("litellm@1.82.7", "thing@2.0", "older@1.0", "built@1.0"):
        assert rows(person, f"pypi:{release}") == [f"pip pip {WHEN}"], release
    put(person.folder / "pip/http-v2/a/b/c/d/e/broken.body", b"PK\3\4" + b"x" * 100)
    assert person.adds(person.folder) == 3
    assert "broken.body: it is no whole zip" in str(person.asks("pypi:thing@2.0")["unread"])


def test_installed_tools_and_environments(person: Person) -> None:
    """pipx, uv tools, virtual environments on every system, and global npm, pnpm, Yarn and Bun: trees like others."""
    home = person.folder
    for path in (
        "pipx/venvs/black/lib/python3.13/site-packages",
        ".local/share/uv/tools/ruff/lib/python3.13/site-packages",
        "venv/Lib/site-packages",
        "usr/lib/python3/dist-packages",
    ):
        put(home / path / "litellm-1.82.7.dist-info/METADATA", "")
    for path in (
        "usr/lib",
        "AppData/Roaming/npm",
        ".local/share/pnpm/global/5",
        ".bun/install/global",
        ".config/yarn/global",
    ):
        put(home / path / "node_modules/axios/package.json", '{"name": "axios", "version": "1.14.1"}')
    assert person.adds(person.folder) == 0
    assert len(rows(person, "pypi:litellm@1.82.7")) == 4
    assert len(rows(person, "axios@1.14.1")) == 5


def test_in_an_image_everything_is_as_on_a_disk(person: Person) -> None:
    """Whatever a kind reads is kept of an image: the same files say the same, wherever they lie."""
    root = person.folder / "disk"
    pnpm(root / "store")
    bun(root / "bun")
    uv(root / "uv")
    pip(root / "pip")
    put(
        root / "yarn/v6/npm-a-1.0.0-aa/node_modules/a/.yarn-metadata.json",
        '{"manifest": {"name": "a", "version": "1.0.0"}}',
    )
    put(root / "app/.npmrc", "ignore-scripts=true\n")
    put(root / "app/package-lock.json", lockfile())
    put(root / "app/node_modules/.package-lock.json", lockfile())
    put(root / "app/node_modules/axios/package.json", '{"name": "axios", "version": "1.14.0"}')
    put(root / "app/node_modules/@s/b/node_modules/c/package.json", '{"name": "c", "version": "1.0.0"}')
    put(root / "var/npm-debug.log", "> esbuild@0.25.0 postinstall\n")
    put(root / "var/access.log", '192.0.2.7 - - [31/Mar/2026:00:25:12 +0000] "GET /a/-/a-1.0.0.tgz HTTP/1.1" 200 0\n')
    for name in ("METADATA", "INSTALLER", "REQUESTED"):
        put(root / "v/lib/site-packages/a-1.dist-info" / name, "uv")
    put(root / "v/lib/site-packages/b-2-py3.9.egg-info", "")
    write(person.folder / "cache" / "_cacache/index-v5/aa/bb/cc", '\n0\t{"key": "x/a/-/a-2.0.0.tgz", "integrity": "s"}')
    put(root / "n/_cacache/index-v5/aa/bb/cc", '\n0\t{"key": "x/a/-/a-2.0.0.tgz", "integrity": "s"}')
    files = {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    (person.folder / "i.tar").write_bytes(layer(oci((layer(files),))))
    assert person.adds(person.folder) == 3  # two packages of the tree have a folder and no manifest
    listed = json.loads(person.runs("inventory", "list", "--format", "json")[1])["places"]
    places = {one["place"].pop("path").removeprefix(str(person.folder)): one | {"looked": ""} for one in listed}
    on_disk = {path.removeprefix("/disk"): one for path, one in places.items() if path.startswith("/disk/")}
    in_image = {path.removeprefix("/i.tar!"): one for path, one in places.items() if path.startswith("/i.tar!")}
    assert in_image == on_disk
    assert len(on_disk) > 12
