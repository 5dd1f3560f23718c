"""The development side: which repositories, at which commit, and what of them may be looked at.

What came later is held out: rules that were made with it in sight could not be measured with it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from evals.corpora.git import Entry, Git
from evals.corpora.items import RECORDED_DAY, Form, Item, Label, Part, Ref

HELD_OUT = "2025-01-01"
"""The first day that may not be looked at."""

_ARCHIVES = (".tar.gz", ".whl", ".zip", ".tgz", ".tar.bz2")

_NOT_LOOKED_AT = re.compile(
    r"dataset/(?:rpc-websocket|kraken-api|conventional-changelog|leaflet-gpx|eslint-scope|rc)-\d"
)
"""Rows of incidents that the held-out side measures with."""


class Repository(Struct, frozen=True):
    """A corpus that is a git repository: its name, the commit that figures quote, and what reads it."""

    name: str
    commit: str
    items: Callable[[Git, str], Iterable[Item]]

    @property
    def short(self) -> str:
        """The name without its owner."""
        return self.name.rpartition("/")[2]

    def folder(self, corpora: Path) -> Path | None:
        """Return where it lies below a folder of corpora, or None."""
        owner, _, name = self.name.partition("/")
        for word in (f"{owner}+{name}", f"{owner}/{name}", name, f"{name}.git"):
            for place in (corpora / word / "repo", corpora / word / ".git", corpora / word):
                if (place / "HEAD").is_file():
                    return place
        return None


def _archive(git: Git, entry: Entry) -> Ref:
    return Ref(str(git.folder), Form.ARCHIVE, (Part(entry.path.rpartition("/")[2], entry.oid),))


def registry_of_pypi(git: Git, commit: str) -> Iterator[Item]:
    """``NAME/VERSION/ARCHIVE``: what the history added before the held-out side begins, each content once."""
    added = git.added(commit)
    seen: set[str] = set()
    for entry in git.files(commit):
        day = added.get(entry.path, "")
        if entry.path.endswith(_ARCHIVES) and "" < day < HELD_OUT and entry.oid not in seen:
            seen.add(entry.oid)
            name, _, rest = entry.path.partition("/")
            yield Item(
                "pypi_malregistry",
                entry.oid[:16],
                Label.MALICIOUS,
                "pypi",
                _archive(git, entry),
                since=day[:7],
                name=name,
                version=rest.partition("/")[0],
            )


def spiderscan(git: Git, commit: str) -> Iterator[Item]:
    """``dataset/NAME-VERSION.tgz``."""
    seen: set[str] = set()
    for entry in git.files(commit, "dataset"):
        if entry.path.endswith(".tgz") and not _NOT_LOOKED_AT.match(entry.path) and entry.oid not in seen:
            seen.add(entry.oid)
            yield Item("SpiderScan", entry.oid[:16], Label.MALICIOUS, "npm", _archive(git, entry))


def malwukong(git: Git, commit: str) -> Iterator[Item]:
    """``data/js/malware-js/NAME-VERSION/…``: loose files."""
    folders: dict[str, list[Entry]] = defaultdict(list)
    for entry in git.files(commit, "data/js/malware-js"):
        folder, _, path = entry.path.removeprefix("data/js/malware-js/").partition("/")
        if path:
            folders[folder].append(Entry(path, entry.oid, entry.size))
    for folder, entries in sorted(folders.items()):
        name, _, version = folder.rpartition("-")
        yield _loose("malwukong-samples", git, entries, Label.MALICIOUS, "npm", name=name, version=version)


def sonatype(git: Git, commit: str) -> Iterator[Item]:
    """``NAME[/VERSION]/*.tgz``; a version that ends in ``-security`` is the registry's own placeholder."""
    for entry in git.files(commit):
        if entry.path.endswith(".tgz") and "-security" not in entry.path:
            yield Item("Malicious-NPM-Packages", entry.oid[:16], Label.MALICIOUS, "npm", _archive(git, entry))


_LANGUAGES = {"npm": "npm", "javascript": "npm", "typescript": "npm", "python": "pypi"}
_SOURCES = (".js", ".mjs", ".cjs", ".ts", ".tsx", ".json", ".py", ".xz")
_RELEASE_NOTES = ("README", "LICENSE")


def malcontent(git: Git, commit: str) -> Iterator[Item]:
    """``LANGUAGE/SAMPLE/…`` and ``LANGUAGE/clean/…``: single files, hard cases on both sides."""
    folders: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in git.files(commit, *_LANGUAGES):
        language, sample, *rest = entry.path.split("/")
        if "ultralytics" in entry.path or "solana_web3" in entry.path:
            continue
        bare = entry.path.removesuffix(".xz")
        if not rest or not bare.endswith(_SOURCES) or rest[-1].startswith(_RELEASE_NOTES):
            continue
        # What is benign, and what is several ways to hide one thing, is one item for each file.
        single = sample == "clean" or "obfus" in sample
        folders[language, "/".join([sample, *rest]) if single else sample].append(
            Entry(rest[-1] if single else "/".join(rest), entry.oid, entry.size)
        )
    for (language, sample), entries in sorted(folders.items()):
        label = Label.BENIGN if sample.startswith("clean/") else Label.MALICIOUS
        yield _loose("malcontent-samples", git, entries, label, _LANGUAGES[language])


_STEP = re.compile(r"[^/]+/(?P<name>[^/]+)/(?P<old>[^/-][^/]*?)-(?P<new>[^/-]+)/diff\.md")


def recorded_day(git: Git, commit: str) -> Iterator[Item]:
    """``x/NAME/OLD-NEW/diff.md``: what one day of updates changed, as far as the reports show it."""
    for entry in git.files(commit):
        match = _STEP.fullmatch(entry.path)
        if match is not None:
            store = str(git.folder)
            yield Item(
                RECORDED_DAY,
                entry.oid[:16],
                Label.BENIGN,
                "pypi",
                Ref(store, Form.REPORT, (Part(f"after:{match['new']}", entry.oid),)),
                Ref(store, Form.REPORT, (Part(f"before:{match['old']}", entry.oid),)),
                since="2023-07",
                name=match["name"],
                version=match["new"],
            )


def _loose(
    corpus: str, git: Git, entries: list[Entry], label: Label, ecosystem: str, name: str = "", version: str = ""
) -> Item:
    key = sha256("|".join(entry.oid for entry in entries).encode()).hexdigest()[:16]
    parts = tuple(Part(entry.path, entry.oid) for entry in entries)
    ref = Ref(str(git.folder), Form.FILES, parts)
    return Item(corpus, key, label, ecosystem, ref, name=name, version=version)


DEVELOPMENT = (
    Repository("lxyeternal/pypi_malregistry", "b11283f05ebce901fe9fc5cd1a8e84d8f54bd937", registry_of_pypi),
    Repository("Spider-Scan/SpiderScan", "30e70f099fc333c13222edcde21b8a2cee063690", spiderscan),
    Repository("security-pride/malwukong-samples", "860c1c9312e61f1891925ef9e46a14c597efea7c", malwukong),
    Repository("jnicastro-Sonatype/Malicious-NPM-Packages", "a7f1a7619422ba631a8b5d0d35d69c992b65f476", sonatype),
    Repository("chainguard-dev/malcontent-samples", "74afcd251a2bc43bf8fd95ffed076e8dac8a3cb5", malcontent),
    Repository("pypi-diff/20230727", "a7db71d16707b6ce812a0022581ca34286f261c8", recorded_day),
)
"""What may be used to build with."""


def development(corpora: Path) -> tuple[list[Item], list[str]]:
    """Return the items of every development corpus below a folder, and a sentence for each that is not there."""
    items: list[Item] = []
    absent: list[str] = []
    for repository in DEVELOPMENT:
        folder = repository.folder(corpora)
        if folder is None:
            absent.append(f"{repository.name} is not in {corpora}")
            continue
        git = Git(folder.absolute())
        if not git.has(repository.commit):
            absent.append(f"{repository.name} has no commit {repository.commit[:12]}: its figures would not compare")
            continue
        items += repository.items(git, repository.commit)
    return items, absent
