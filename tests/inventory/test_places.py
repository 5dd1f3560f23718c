"""Each kind of place: what it says, what of it cannot be read, and that a hostile one does no harm."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.app.inventory.ports import InventoryError
from lazaretto.app.ports import Served as LedgerServed
from lazaretto.core.names import Digest, Purl
from lazaretto.infra import git_remote
from lazaretto.infra.ledger import SqliteLedger
from tests.inventory import company
from tests.inventory.company import BAD, commit, git, lockfile, write
from tests.inventory.conftest import Person


def notes(person: Person, release: str) -> list[str]:
    """Return the notes of whoever has a release."""
    return [one["note"] for one in person.asks(release)["exposures"]]


def places(person: Person, release: str) -> list[str]:
    """Return the paths of whoever has a release, below the work folder."""
    found = [Path(one["place"]["path"]).relative_to(person.folder) for one in person.asks(release)["exposures"]]
    return list(map(str, found))


def test_workspaces_and_nested_projects(person: Person) -> None:
    """Every lockfile below; a manifest that a lockfile above goes before says nothing of its own."""
    write(person.folder / "package-lock.json", lockfile())
    write(person.folder / "packages" / "a" / "package.json", '{"dependencies": {"axios": "^1.0.0"}}')
    write(person.folder / "tools" / "yarn.lock", '# yarn lockfile v1\n\n\naxios@^1.0.0:\n  version "1.14.1"\n')
    write(person.folder / "node_modules" / "x" / "yarn.lock", 'axios@^1.0.0:\n  version "1.14.1"\n')
    write(person.folder / "node_modules" / "x" / "package.json", '{"name": "x", "version": "1.0.0"}')
    assert person.adds(person.folder) == 0
    assert places(person, "axios@1.14.1") == ["package-lock.json", "tools/yarn.lock"]
    assert places(person, "x@1.0.0") == ["node_modules"]
    listed = person.runs("inventory", "list", "--format", "json")[1]
    assert "tools/yarn.lock" in listed
    assert "packages/a" not in listed


def test_sboms(person: Person) -> None:
    """An SBOM lists it: by its own path of dependencies."""
    sbom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
        {"bom-ref": "a", "type": "library", "name": "sdk", "purl": "pkg:npm/sdk@1.0.0"},
        {"bom-ref": "b", "type": "library", "name": "axios", "purl": "pkg:npm/axios@1.14.1"}],
        "dependencies": [{"ref": "a", "dependsOn": ["b"]}]}  # fmt: skip
    write(person.folder / "bom.json", json.dumps(sbom))
    assert person.adds(person.folder / "bom.json") == 0
    (one,) = person.asks("pkg:npm/axios@1.14.1")["exposures"]
    assert one["proof"] == "listed"
    assert one["path"] == ["sdk@1.0.0", "axios@1.14.1"]


def test_sboms_in_xml(person: Person) -> None:
    """What XML says counts as what JSON does; a document type, and what is too deep, is told with its line."""
    sbom = """<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components>
        <component bom-ref="a" type="library"><name>sdk</name><purl>pkg:npm/sdk@1.0.0</purl></component>
        <component bom-ref="b" type="library"><name>axios</name><purl>pkg:npm/axios@1.14.1</purl></component>
        </components><dependencies><dependency ref="a"><dependency ref="b"/></dependency></dependencies></bom>"""
    write(person.folder / "a" / "bom.xml", sbom)
    write(person.folder / "b" / "app.cdx.xml", "<!DOCTYPE bom SYSTEM 'file:///etc/hostname'>" + sbom)
    write(person.folder / "c" / "bom.xml", "\n<a>" * 200)
    assert person.adds(person.folder) == 3
    answer = person.asks("axios@1.14.1")
    (one,) = answer["exposures"]
    assert one["path"] == ["sdk@1.0.0", "axios@1.14.1"]
    assert [told.rpartition("work/")[2][:50] for told in answer["unread"]] == [
        "b/app.cdx.xml:1: cannot be read as a whole: it has",
        "c/bom.xml:102: cannot be read as a whole: deeper t",
    ]


def test_python_trees(person: Person) -> None:
    """Virtual environments and whatever else has site-packages, by the metadata that lies there."""
    site = person.folder / ".venv" / "lib" / "python3.13" / "site-packages"
    write(site / "Some_Thing-1.0.dist-info" / "METADATA", "Name: Some-Thing\nVersion: 1.0\n")
    write(site / "Some_Thing-1.0.dist-info" / "INSTALLER", "uv\n")
    write(site / "Some_Thing-1.0.dist-info" / "REQUESTED", "")
    write(site / "old-2.0-py3.9.egg-info", "Name: old\n")
    write(site / "strange.dist-info" / "METADATA", "")
    assert person.adds(person.folder) == 3  # strange could not be read
    (one,) = person.asks("pypi:some.thing@1.0")["exposures"]
    assert one["note"] == "Some_Thing-1.0.dist-info, installed by uv"
    assert one["path"] == ["some-thing@1.0"]
    assert places(person, "pypi:old@2.0") == [".venv/lib/python3.13/site-packages"]
    assert "strange" in str(person.asks("pypi:old@2.0")["unread"])


def test_pnpm_trees(person: Person) -> None:
    """Pnpm's folders name what was installed, whatever the manifest inside says afterwards."""
    store = person.folder / "node_modules" / ".pnpm"
    inner = store / "plain-crypto-js@4.2.1" / "node_modules" / "plain-crypto-js"
    write(inner / "package.json", '{"name": "plain-crypto-js", "version": "4.2.0"}')
    scoped = store / "@s+b@1.0.0_react@18.0.0" / "node_modules" / "@s" / "b"
    write(scoped / "package.json", '{"name": "@s/b", "version": "1.0.0"}')
    assert person.adds(person.folder) == 0
    (one,) = person.asks("plain-crypto-js@4.2.1")["exposures"]
    assert one["ran"] == "likely"
    assert one["place"]["client"] == "pnpm"
    assert places(person, "@s/b@1.0.0") == ["node_modules"]


def test_npm_caches(person: Person) -> None:
    """What is cached was downloaded; a record that was taken back was not kept."""
    company.cache(person.folder / ".npm", "https://r.invalid/a/-/a-1.0.0.tgz", "https://r.invalid/a")
    bucket = person.folder / ".npm/_cacache/index-v5/aa/bb/dd"
    gone = {"key": "k:https://r.invalid/b/-/b-1.0.0.tgz", "integrity": "sha512-AA==", "time": 1}
    write(bucket, "".join(f"\n00\t{json.dumps(one)}" for one in (gone, gone | {"integrity": None})) + "\n00\t{broken")
    assert person.adds(person.folder) == 3  # one record is broken
    assert places(person, "a@1.0.0") == [".npm/_cacache"]
    assert not places(person, "b@1.0.0")


def test_the_firewalls_own_ledger(person: Person) -> None:
    """Who got what from the firewall, when."""
    ledger = SqliteLedger(person.folder)
    purl, digest = Purl("pkg:npm/axios@1.14.1"), Digest(f"sha256:{'0' * 64}")
    ledger.serve([LedgerServed(BAD, "build-7", "ci", purl, "axios-1.14.1.tgz", digest, "allow")])
    ledger.close()
    assert person.adds(person.folder) == 0
    assert notes(person, "axios@1.14.1") == ["handed out to build-7, the verdict was allow"]


def test_histories_with_branches_and_without_files(person: Person) -> None:
    """What one branch still has is still there; what came and went twice has two intervals; bare is no different."""
    repository = person.folder / "r"
    commit(repository, "package-lock.json", lockfile(), BAD)
    commit(repository, "package-lock.json", lockfile(bad=False), BAD + timedelta(hours=1))
    commit(repository, "package-lock.json", lockfile(), BAD + timedelta(hours=2))
    git(repository, "branch", "kept")
    commit(repository, "package-lock.json", None, BAD + timedelta(hours=3))
    git(repository, "clone", "-q", "--bare", ".", str(person.folder / "bare.git"))
    assert person.adds(repository, person.folder / "bare.git") == 0
    found = person.asks("axios@1.14.1")["exposures"]
    times = [(Path(one["place"]["path"]).name, one["first"][11:16], one["last"]) for one in found]
    once = [("00:25", "2026-03-31T01:25:12Z"), ("02:25", None)]
    assert times == [("bare.git", *one) for one in once] + [("r", *one) for one in once]


def test_a_merge_that_is_neither_of_its_parents(person: Person) -> None:
    """What is brought by a merge alone is seen."""
    repository = person.folder / "r"
    commit(repository, "package-lock.json", lockfile(bad=False), BAD)
    git(repository, "checkout", "-q", "-b", "side")
    commit(repository, "package-lock.json", lockfile(bad=False, note="side"), BAD + timedelta(hours=1))
    git(repository, "checkout", "-q", "main")
    commit(repository, "package-lock.json", lockfile(bad=False, note="main"), BAD + timedelta(hours=1))
    git(repository, "merge", "-q", "--no-commit", "-s", "ours", "side")
    write(repository / "package-lock.json", lockfile())
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "merge", at=BAD + timedelta(hours=2))
    assert person.adds(repository / ".git") == 0
    assert [one["first"][11:16] for one in person.asks("axios@1.14.1")["exposures"]] == ["02:25"]


def test_no_program_of_a_repository_is_run(person: Person) -> None:
    """Settings and hooks of a hostile repository start nothing."""
    repository, ran = person.folder / "r", person.folder.parent / "ran"
    commit(repository, "package-lock.json", lockfile(), BAD)
    program = write(person.folder.parent / "program", f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "gpg.program", "core.sshCommand", "core.pager", "diff.x.textconv"):
        git(repository, "config", name, str(program))
    git(repository, "config", "log.showSignature", "true")
    write(repository / ".git/info/attributes", "* diff=x filter=x\n")
    git(repository, "config", "filter.x.smudge", str(program))
    hook = write(repository / ".git/hooks/post-index-change", f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    ran.unlink(missing_ok=True)  # our own preparations may have run some of them
    assert person.adds(repository) == 0
    assert person.asks("axios@1.14.1")["exposures"]
    assert not ran.exists()


def test_broken_places_are_told_and_the_rest_is_read(person: Person) -> None:
    """Each problem has its place and its line; whoever can be found is found; the answer says what was not read."""
    home = person.folder
    write(home / "good" / "package-lock.json", lockfile())
    write(home / "broken" / "package-lock.json", '{"lockfileVersion": 3,\n"packages": x}')
    write(home / "binary" / "uv.lock", b"\xff\xfe\xfa")
    write(home / "deep" / "bom.json", '{"a":' * 100_000)
    write(home / "odd" / "package-lock.json", json.dumps({"lockfileVersion": 3, "packages": {"node_modules/a": 1}}))
    write(home / "gone.git" / "HEAD", "ref: refs/heads/main\n")
    (home / "gone.git" / "objects").mkdir()
    (home / "gone.git" / "refs").mkdir()
    write(home / "gone.git" / "config", "[core\n")
    write(home / "ledger.sqlite", b"SQLite format 3\0 and no more")
    write(home / "cut.log.gz", b"\x1f\x8b\x08\0")
    (home / "loop").symlink_to(home)
    os.mkfifo(home / "access.log")
    assert person.adds(home) == 3
    answer = person.asks("axios@1.14.1")
    assert places(person, "axios@1.14.1") == ["good/package-lock.json"]
    told = "\n".join(answer["unread"])
    for place in ("broken/package-lock.json:2", "binary/uv.lock", "deep/bom.json:1", "odd/package-lock.json:1"):
        assert place in told
    assert "ledger.sqlite" in told
    assert "cut.log.gz" in told
    assert person.runs("exposed", "axios@1.14.1")[0] == 1
    assert person.runs("exposed", "left-pad@1.0.0")[0] == 3


def test_hostile_names_are_inert_in_every_output(person: Person) -> None:
    """What a file, a range or a client is called steers no terminal and no CI."""
    evil = "\x1b[31mx\n::error::y\u202e"
    folder = os.fsencode(person.folder) + b"/" + evil.encode() + b"\xff"
    os.mkdir(folder)
    with open(folder + b"/package-lock.json", "w", encoding="utf-8") as file:
        file.write(lockfile())
    write(person.folder / "open" / "package.json", json.dumps({"dependencies": {"axios": evil}}))
    client = evil.split(maxsplit=1)[0]
    line = f'192.0.2.7 - {client} [31/Mar/2026:00:25:12 +0000] "GET /axios/-/axios-1.14.1.tgz HTTP/1.1" 200 0'
    write(person.folder / "access.log", line)
    outputs = [person.runs("inventory", "add", str(person.folder))[1]]
    for words in (("inventory", "list"), ("exposed", "axios@1.14.1", "-v")):
        outputs += [person.runs(*words)[1], person.runs(*words, "--format", "json")[1]]
    assert len(person.asks("axios@1.14.1")["exposures"]) == 2
    for text in outputs:
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert not any(row.lstrip().startswith("::") for row in text.splitlines())


def test_a_lockfile_that_includes_what_lies_outside_reads_nothing_there(person: Person) -> None:
    """A requirements file cannot make the inventory read another's files."""
    write(person.folder.parent / "secret.txt", "axios==1.14.1")
    write(person.folder / "requirements.txt", "-r ../secret.txt\nother==1.0\n")
    person.adds(person.folder)
    assert not person.asks("pypi:axios@1.14.1")["exposures"]
    assert person.asks("pypi:other@1.0")["exposures"]


def test_a_history_with_a_hole_is_told(person: Person) -> None:
    """An object that is missing ends the reading with words; what came before it counts."""
    repository = person.folder / "r"
    commit(repository, "package-lock.json", lockfile(), BAD)
    commit(repository, "package-lock.json", lockfile(bad=False), BAD + timedelta(hours=1))
    name = git(repository, "rev-parse", "HEAD~1:package-lock.json")
    blob = repository / ".git" / "objects" / name[:2] / name[2:]
    blob.unlink()
    assert person.adds(repository / ".git") == 3
    assert "git has no file" in str(person.asks("axios@1.14.1")["unread"])


def test_worktrees_and_files_that_point_nowhere(person: Person) -> None:
    """A worktree is read where its history lies; a file that points to none says nothing."""
    repository = person.folder / "r"
    commit(repository, "package-lock.json", lockfile(), BAD)
    git(repository, "worktree", "add", "-q", str(person.folder / "tree"), "-b", "other")
    write(person.folder / "odd" / ".git", "gitdir: ../nowhere\n")
    assert person.adds(person.folder / "tree", person.folder / "odd") == 0
    kinds = {one["place"]["kind"] for one in person.asks("axios@1.14.1")["exposures"]}
    assert kinds == {"lockfile", "history"}


def test_settings_of_yarn(person: Person) -> None:
    """Each client has its own words for scripts that run or do not."""
    lock = '# yarn lockfile v1\n\n\naxios@^1.0.0:\n  version "1.14.1"\n'
    for name, text in ((".yarnrc.yml", "enableScripts: false\n"), (".yarnrc", "x\nignore-scripts true\n")):
        write(person.folder / name[1:] / "yarn.lock", lock)
        write(person.folder / name[1:] / name, text)
    write(person.folder / "on" / "package-lock.json", lockfile())
    write(person.folder / "on" / ".npmrc", "ignore-scripts = false\n")
    write(person.folder / "pip" / "requirements.txt", "axios==1.14.1\n")
    person.adds(person.folder)
    found = {Path(one["place"]["path"]).parent.name: one["place"] for one in person.asks("axios@1.14.1")["exposures"]}
    assert {name: one["scripts"] for name, one in found.items()} == {"yarnrc.yml": "off", "yarnrc": "off", "on": "on"}


def test_trees_without_npms_own_list(person: Person) -> None:
    """Without it the manifests are believed: nested ones too; what says nothing of itself is told."""
    modules = person.folder / "node_modules"
    write(modules / "a" / "package.json", '{"name": "a", "version": "1.0.0", "scripts": {"install": "x"}}')
    write(modules / "a" / "node_modules" / "@s" / "b" / "package.json", '{"name": "@s/b", "version": "2.0.0"}')
    write(modules / "bare" / "index.js", "")
    write(modules / "broken" / "package.json", "{")
    write(modules / "nameless" / "package.json", "{}")
    assert person.adds(person.folder) == 3
    assert person.asks("a@1.0.0")["exposures"][0]["ran"] == "likely"
    assert person.asks("@s/b@2.0.0")["exposures"][0]["note"] == "a/node_modules/@s/b"
    told = "\n".join(person.asks("a@1.0.0")["unread"])
    assert "bare: a folder without a manifest" in told
    assert "broken: its manifest cannot be read" in told
    assert "nameless: its manifest names no version" in told


def test_repositories_elsewhere(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address is fetched, read and forgotten: branches and tags; no hook of it runs, no secret of it is kept."""
    repository = person.folder / "r"
    commit(repository, "package-lock.json", lockfile(), BAD)
    git(repository, "tag", "v1")
    commit(repository, "package-lock.json", lockfile(bad=False), BAD + timedelta(hours=1))
    write(repository / ".git" / "hooks" / "post-checkout", "#!/bin/sh\ntouch /tmp/never")
    address = repository.as_uri()
    assert person.runs("inventory", "add", address)[0] == 0
    (one,) = person.asks("axios@1.14.1")["exposures"]
    assert (one["place"]["kind"], one["place"]["path"]) == ("history", address)
    assert one["last"] == "2026-03-31T01:25:12Z"
    assert "1 unchanged" in person.runs("inventory", "add", address)[1]
    code, told = person.runs("inventory", "add", f"{address}-gone", address, "--format", "json")
    assert code == 3
    assert f"{address}-gone: cannot be fetched: " in told
    monkeypatch.setattr(git_remote, "MAX_SECONDS", 0)
    with pytest.raises(InventoryError, match="longer than 0 s"):
        git_remote.fetch(address, person.folder / "late.git")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InventoryError, match="git is not installed"):
        git_remote.fetch(address, person.folder / "none.git")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://ann:secret@git.example.invalid/a.git/?token=x#y", "https://git.example.invalid/a.git"),
        ("git@git.example.invalid:team/a.git", "git@git.example.invalid:team/a.git"),
        ("ext::sh -c touch% /tmp/never", None),
        ("./ext://x", None),
        ("C:/x", None),
    ],
)
def test_addresses_of_repositories(text: str, expected: str | None) -> None:
    """What is fetched is told without secrets; what would start a program is no address."""
    assert git_remote.is_remote(text) is (expected is not None)
    assert expected is None or git_remote.shown(text) == expected
