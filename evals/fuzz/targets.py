"""What is fuzzed: every parser of what others write, found where the plug-ins are, with what must hold of any bytes.

A target takes bytes and raises if something does not hold. What it asks is what the contract tests ask.
"""

import gzip
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, unquote

from msgspec import Struct

from lazaretto._plugins import discover
from lazaretto.app.inventory.ports import InventoryError
from lazaretto.app.ports import Ecosystem
from lazaretto.app.rendering import OutputModule, RenderOptions
from lazaretto.core import plain_yaml
from lazaretto.core.archive import ArchiveFault, Limits, overlay, unpack
from lazaretto.core.hive.find import MAX_HITS, Wanted, look
from lazaretto.core.inner import read_through
from lazaretto.core.inventory import Unread
from lazaretto.core.language import LanguageModule, NoUnits
from lazaretto.core.model import Artifact, ArtifactKind
from lazaretto.core.names import Digest
from lazaretto.core.tree import Blob, Tree
from lazaretto.core.view import PageView
from lazaretto.infra._sources import BytesSource
from lazaretto.infra.image import ArchiveShelf, images
from tests import hives
from tests.contracts import corpus, reports, test_feeds, test_languages, test_lockfiles, test_outputs
from tests.inventory import images as archives
from tests.inventory import test_laws

CONTRACTS = Path(corpus.__file__).parent
FOUND = CONTRACTS.parent / "data" / "found"
"""What was found once, one folder for each target: seeds here, and tests for ever."""

LIMITS = Limits(packed=1 << 20, unpacked=1 << 22, file=1 << 21, members=200)


class Target(Struct, frozen=True):
    """One parser: what must hold of any bytes, and what to begin with."""

    name: str
    check: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def targets() -> dict[str, Target]:
    """Return every target by its name, those of plug-ins as they are found."""
    every = (
        *_archives(),
        *_languages(),
        *_lockfiles(),
        *_outputs(),
        *_feeds(),
        *_ecosystems(),
        *_places(),
        *_hives(),
        *_texts(),
    )
    return {target.name: target for target in every}


def _archives() -> Iterator[Target]:
    """Archives as they are, and inside an intact gzip, whose checksum a fuzzer does not guess."""
    tar, zipped = _tar(), _zip()
    packed = gzip.compress(tar, mtime=0)

    def asked(kind: ArtifactKind, data: bytes) -> None:
        try:
            tree = unpack(kind, data, LIMITS)
        except ArchiveFault as fault:
            assert str(fault)
            return
        assert tree == unpack(kind, data, LIMITS)
        for path in tree.files:
            assert path
            assert not path.startswith("/")
            assert ".." not in path.split("/")

    yield Target("archive-tarball", lambda data: asked(ArtifactKind.TARBALL, data), (tar, packed))
    yield Target("archive-wheel", lambda data: asked(ArtifactKind.WHEEL, data), (zipped,))
    yield Target("archive-sdist", lambda data: asked(ArtifactKind.SDIST, data), (packed, zipped))
    yield Target(
        "archive-gzipped", lambda data: asked(ArtifactKind.SDIST, gzip.compress(data, 0, mtime=0)), (tar, tar[:600])
    )


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in {"package/a.js": b"1", f"package/{'long/' * 30}é.py": b"import os\n"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a/__init__.py", "a-1.dist-info/METADATA", "a-1.dist-info/RECORD"):
            archive.writestr(zipfile.ZipInfo(name), b"Metadata-Version: 2.1\nName: a\nVersion: 1\n" * 3)
    return buffer.getvalue()


def _languages() -> Iterator[Target]:
    modules = discover("lazaretto.languages", ("ID", "VERSION", "DIALECTS", "claim", "read"))
    table = {dialect: cast("LanguageModule", module) for module in modules for dialect in module.DIALECTS}

    def asked(dialects: list[str], data: bytes) -> None:
        """The first byte says in which dialect the rest is read, with all that stands inside it."""
        dialect, text = dialects[data[0] % len(dialects)] if data else dialects[0], data[1:]
        facts = read_through(table, dialect, text, NoUnits())
        test_languages.check(facts, text)
        assert read_through(table, dialect, text, NoUnits()) == facts

    for module in modules:
        dialects = [name for name in module.DIALECTS if ":" not in name] + [
            name for name in module.DIALECTS if ":" in name
        ][:1]
        seeds = tuple(
            bytes([dialects.index(claim.dialect)]) + data
            for data in corpus.SAMPLES
            for claim in {module.claim(name, data) for name in corpus.NAMES}
            if claim is not None and claim.dialect in dialects
        )
        own = _specimens(module.ID)
        seeds += tuple(bytes([number]) + data for number in range(len(dialects)) for data in own)
        yield Target(f"language-{module.ID}", lambda data, known=dialects: asked(known, data), seeds)  # type: ignore[misc]


def _specimens(language: str) -> tuple[bytes, ...]:
    """Return the specimens that the tests of a language read: its constants of bytes."""
    name = f"test_{language}"
    if not (CONTRACTS.parent / "languages" / f"{name}.py").is_file():
        return ()
    found = vars(import_module(f"tests.languages.{name}")).items()
    return tuple(value for key, value in found if key.isupper() and isinstance(value, bytes) and len(value) < 4096)


def _lockfiles() -> Iterator[Target]:
    def asked(module: test_lockfiles.Format, data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        assert test_lockfiles.check(module, text) == test_lockfiles.check(module, text)

    for module in test_lockfiles.MODULES:
        seeds = tuple(text.encode() for text in test_lockfiles.seeds(cast("test_lockfiles.Format", module)))
        name = test_lockfiles.short_name(module).replace("_", "-")
        yield Target(f"lockfile-{name}", lambda data, one=module: asked(one, data), seeds)  # type: ignore[misc]


def _outputs() -> Iterator[Target]:
    def asked(module: OutputModule, data: bytes) -> None:
        text = data.decode("utf-8", "surrogatepass" if data[:1] == b"\xed" else "replace")
        rendered = module.render(reports.hostile(text), RenderOptions())
        test_outputs.check_inert(module, rendered)
        assert rendered == module.render(reports.hostile(text), RenderOptions())

    seeds = tuple(text.encode("utf-8", "surrogatepass") for text in reports.HOSTILE)
    for module in test_outputs.MODULES:
        named = test_outputs.short_name(module)
        yield Target(f"output-{named}", lambda data, one=module: _bear(asked, one, data), seeds)  # type: ignore[misc]


def _bear(asked: Callable[[Any, bytes], None], module: Any, data: bytes) -> None:  # noqa: ANN401 - a plug-in
    """What is no text in any way is none of an output's business."""
    with suppress(UnicodeDecodeError):
        asked(module, data)


def _feeds() -> Iterator[Target]:
    for module in test_feeds.MODULES:
        feed = cast("test_feeds.Feed", module)
        seeds = tuple(test_feeds.seeds(module).values())

        def asked(data: bytes, feed: test_feeds.Feed = feed) -> None:
            assert test_feeds.check(feed, data) == test_feeds.check(feed, data)

        yield Target(f"feed-{test_feeds.short_name(module)}", asked, seeds)


def _ecosystems() -> Iterator[Target]:
    for module in discover("lazaretto.ecosystems", ("ECOSYSTEM",)):
        ecosystem: Ecosystem = module.ECOSYSTEM
        pages = sorted((CONTRACTS / "pages" / ecosystem.ID).iterdir())
        for kind, media_type in (("json", "application/json"), ("html", "text/html")):
            seeds = tuple(path.read_bytes() for path in pages if path.suffix == f".{kind}")
            if seeds:
                name = unquote(pages[0].stem)
                yield Target(f"page-{ecosystem.ID}-{kind}", _page(ecosystem, name, media_type), seeds)
        yield Target(
            f"versions-{ecosystem.ID}", _versions(ecosystem), (b"1.0.0\n^1.2 || >=2", b"1!2.0rc1.post2\n~=1.2")
        )
        for kind_of, files in _MANIFESTS[ecosystem.ID]:
            for path, seed in files.items():
                target = _manifest(ecosystem, kind_of, files, path)
                named = path.rpartition("/")[2]
                yield Target(f"manifest-{ecosystem.ID}-{kind_of.value}-{named}", target, (seed,))


def _page(ecosystem: Ecosystem, named: str, media_type: str) -> Callable[[bytes], None]:
    def asked(data: bytes) -> None:
        name = ecosystem.name(named)
        try:
            project = ecosystem.index(name, data, media_type, "https://index.invalid/simple/x/")
        except ValueError as error:
            assert str(error)
            return
        assert project == ecosystem.index(name, data, media_type, "https://index.invalid/simple/x/")
        shown = {one.filename: release.version for release in project.releases for one in release.artifacts}
        view = PageView(shown=shown, address=lambda filename: f"http://127.0.0.1/-/{quote(filename, safe='')}")
        for form in ecosystem.FORMS:
            with suppress(ValueError):
                printed = ecosystem.render(name, data, media_type, view, form)
                again = ecosystem.index(name, printed, ecosystem.FORMS[form], "https://elsewhere.invalid/")
                left = {unquote(one.filename) for release in again.releases for one in release.artifacts}
                assert left <= {unquote(filename) for filename in shown}, "a page only removes"

    return asked


def _versions(ecosystem: Ecosystem) -> Callable[[bytes], None]:
    def asked(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        for line in text.split("\n"):
            with suppress(ValueError):
                assert ecosystem.name(ecosystem.name(line)) == ecosystem.name(line)
            try:
                version = ecosystem.version(line)
            except ValueError:
                continue
            assert ecosystem.version(version) == version
            assert ecosystem.sort_key(version) == ecosystem.sort_key(version)
            ecosystem.line(version)

    return asked


_TOML = b"""[build-system]
requires = ["hatchling>=1", "x @ https://r.example.invalid/x.whl"]
build-backend = "b:hooks"
backend-path = ["."]
[project]
name = "a"
dependencies = ["b>=1; python_version<'3'"]
[tool.hatch.build.hooks.custom]
path = "b.py"
"""
_PACKAGE = json.dumps(
    {
        "name": "a",
        "version": "1.0.0",
        "main": "a",
        "bin": {"b": "a.js"},
        "exports": {".": {"import": "./a.js", "default": ["./a.js"]}},
        "scripts": {"postinstall": "node a.js && npm run x", "x": "sh -c 'node ./a.js'"},
        "dependencies": {"b": "npm:c@^1", "d": "git+ssh://r.example.invalid/x.git#semver:1"},
    }
).encode()
_META = b"Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: b>=1; extra == 'c'\n\ntext\n"
_MANIFESTS: Mapping[str, tuple[tuple[ArtifactKind, Mapping[str, bytes]], ...]] = {
    "npm": (
        (
            ArtifactKind.TARBALL,
            {"package.json": _PACKAGE, "binding.gyp": b"{'targets': [{'sources': ['<!@(node a.js)']}]}"},
        ),
    ),
    "pypi": (
        (
            ArtifactKind.SDIST,
            {
                "pyproject.toml": _TOML,
                "setup.cfg": b"[options]\nsetup_requires =\n  a>=1\n  b\n",
                "PKG-INFO": _META,
                "a.egg-info/requires.txt": b"b>=1\n[c:python_version<'3']\nd\n",
            },
        ),
        (
            ArtifactKind.WHEEL,
            {
                "a-1.dist-info/METADATA": _META,
                "a-1.dist-info/entry_points.txt": b"[console_scripts]\na = a.b:c [x]\n",
                "a-1.dist-info/RECORD": b"a/__init__.py,sha256=x,1\n",
                "a.pth": b"import os; os.getcwd()\nb\n",
            },
        ),
    ),
}


def _manifest(
    ecosystem: Ecosystem, kind: ArtifactKind, files: Mapping[str, bytes], fuzzed: str
) -> Callable[[bytes], None]:
    artifact = Artifact(filename="a-1-py3-none-any.whl" if kind is ArtifactKind.WHEEL else "a-1", kind=kind, url="")

    def asked(data: bytes) -> None:
        tree = Tree(
            {path: Blob(Digest(path), data if path == fuzzed else seed) for path, seed in files.items()}
            | {path: Blob(Digest(path), b"1\n") for path in ("a.js", "b.py", "setup.py", "a/__init__.py", "a/b.py")}
        )
        manifest = ecosystem.manifest(artifact, tree)
        assert manifest == ecosystem.manifest(artifact, tree)
        for hook in manifest.hooks:
            assert 0 <= hook.span.start <= hook.span.end <= len(tree.files[hook.path].data)
        for entry in manifest.entries:
            assert entry.path in tree.files

    return asked


def _places() -> Iterator[Target]:
    """Kinds of places, each in files of the names that it reads; and images, whose layers are archives."""
    for kind in test_laws.KINDS:
        yield Target(
            f"place-{kind.KIND}",
            lambda data, one=kind: test_laws.any_bytes(one, data),  # type: ignore[misc]
            (b'{"name": "a", "version": "1.0.0"}', b"npm http fetch GET 200 https://r.invalid/a/-/a-1.0.0.tgz\n"),
        )

    def layer(data: bytes) -> None:
        members, _ = overlay.scan(lambda: BytesSource(data), lambda *_: True)
        overlay.laid([members])
        assert all(".." not in member.path.split("/") for member in members)

    yield Target("image-layer", layer, (_tar(),))

    def image(data: bytes) -> None:
        descriptor = os.memfd_create("image")
        try:
            os.write(descriptor, data)
            for one in images(ArchiveShelf(descriptor), lambda *_: True):
                assert isinstance(one, Unread) or one.disk.list("/")
        except InventoryError as error:
            assert str(error)
        finally:
            os.close(descriptor)

    yield Target("image-archive", image, (archives.layer(archives.oci((_tar(),))),))


def _hives() -> Iterator[Target]:
    """A hive from its first bin on, and a log whose only entry is whole, as its hash says that no fuzzer guesses."""
    wanted = (Wanted(0, ("*", "*", "*")), Wanted(1, ("A",), "text"), Wanted(2, ("CurrentControlSet", "B")))
    whole = hives.hive(hives.path(r"A\B", hives.Value("n", "text")), hives.key("Select", hives.Value("Current", 1)))
    dirty = hives.based(whole[4096:], 32, (8, 7))

    def hive(data: bytes) -> None:
        whole = hives.based(data, 32, (7, 7))
        answer = look(whole, (), wanted)
        assert answer == look(whole, (), wanted)
        assert len(answer.hits) <= MAX_HITS

    def log(data: bytes) -> None:
        size, at = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")
        head = hives.log(dirty, [], 7)
        look(dirty, (head + hives.entry(7, size, [(at, data[8:])]), head + data), wanted)

    yield Target("hive", hive, (whole[4096:],))
    yield Target("hive-log", log, (b"\0\x20\0\0\0\x10\0\0" + whole[4096:6000], hives.log(dirty, [whole], 7)[512:]))


def _texts() -> Iterator[Target]:
    """What has one reader and no folder of its own."""

    def yaml(data: bytes) -> None:
        try:
            plain_yaml.scalars(data.decode("utf-8", "replace"))
        except plain_yaml.YamlError as error:
            assert str(error)

    yield Target("settings-yaml", yaml, (b"a:\n  - b: 'c'\n    d: [1, {e: f}]\n# x\n",))
    from lazaretto.ecosystems.npm import provenance as of_npm
    from lazaretto.ecosystems.pypi import provenance as of_pypi

    for name, parsed in {
        "provenance-npm": of_npm.parse_attestations,
        "provenance-pypi": of_pypi.parse_attestations,
        "publisher-pypi": of_pypi.parse_publisher,
    }.items():

        def asked(data: bytes, parse: Callable[[bytes], object] = parsed) -> None:
            with suppress(ValueError):
                parse(data)

        yield Target(name, asked, (b'{"attestations": [{"predicateType": "x", "bundle": {"dsseEnvelope": {}}}]}',))
