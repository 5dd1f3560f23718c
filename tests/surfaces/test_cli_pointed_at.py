"""``lazaretto exposed --campaign`` and ``--indicators``: releases that intelligence points at."""

import json

import pytest

from tests.surfaces.site import Machine

LIST = (
    "type,value,use,confidence\nnpm package,axios@1.14.1,block,high\nnpm package,axios@1.14.0,known_good,high\n"
    "npm package,unversioned,hunt,high\ndomain,c2.example.invalid,block,high\n"
)


@pytest.fixture(autouse=True)
def project(machine: Machine) -> None:
    """Put a project that took axios 1.14.1 into the inventory, beside one that did not."""
    for name, version in (("hit", "1.14.1"), ("near", "1.14.0")):
        folder = machine.folder / "work" / name
        folder.mkdir(parents=True)
        packages = {"": {"name": name}, "node_modules/axios": {"version": version}}
        document = {"name": name, "version": "1.0.0", "lockfileVersion": 3, "packages": packages}
        (folder / "package-lock.json").write_text(json.dumps(document), "utf-8")
    assert machine.run("inventory", "add", "work", "-q").code == 0


def test_a_campaign_points_at_its_releases(machine: Machine) -> None:
    """The shipped knowledge of a campaign, by a word of its name, is enough to ask who took what it published."""
    told = machine.run("exposed", "--campaign", "axios", "--format", "json")

    assert told.code == 1
    assert [one["place"]["path"].split("/")[-2] for one in told.report["exposures"]] == ["hit"]


def test_a_document_points_at_what_is_to_be_blocked_or_hunted(machine: Machine) -> None:
    """What is known to be good points at nothing; what names no version is told and not asked."""
    (machine.folder / "list.csv").write_text(LIST, "utf-8")

    told = machine.run("exposed", "--indicators", "list.csv", "axios@1.14.1", "--format", "json")

    assert told.code == 1
    assert [one["place"]["path"].split("/")[-2] for one in told.report["exposures"]] == ["hit"]
    assert [one for one in told.report["notes"] if "unversioned" in one] == [
        "list.csv: pkg:npm/unversioned names no version: not asked"
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--campaign", "nobody"), "there is no campaign 'nobody'"),
        (("--indicators", "absent.csv"), "absent.csv cannot be read"),
        (("--indicators", "hosts.csv"), "names no release that could be asked about"),
        (("--indicators", "noise.bin"), "noise.bin: it looks like nothing that can be read"),
        ((), "name a release"),
    ],
)
def test_what_points_at_nothing_says_why(machine: Machine, words: tuple[str, ...], said: str) -> None:
    """Wrong usage, in one sentence, without a traceback."""
    (machine.folder / "hosts.csv").write_text("type,value,use\ndomain,c2.example.invalid,block\n", "utf-8")
    (machine.folder / "noise.bin").write_bytes(b"\x00\x01\x02")

    told = machine.run("exposed", *words)

    assert told.code == 2
    assert said in told.err
