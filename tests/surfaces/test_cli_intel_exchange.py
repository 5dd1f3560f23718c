"""``lazaretto intel import|feeds|export`` on the command line, and that scan obeys what was imported."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.core.intel import IndicatorKind, Use
from lazaretto.infra.clock import SystemClock
from lazaretto.infra.knowledge import shipped
from lazaretto.infra.taxii import MEDIA_TYPE
from tests.surfaces.site import NOW, Machine

LIST = "type,value,use,confidence\nnpm package,left@1.0.1,{use},{confidence}\n"
HOSTS = (
    "type,value,use,confidence\ndomain,c2.example.invalid,block,high\ndomain,cdn.example.invalid,do_not_block,high\n"
)


def wrote(machine: Machine, name: str, text: str) -> str:
    """Write a file and return its name."""
    (machine.folder / name).write_text(text)
    return name


def published(machine: Machine) -> None:
    """Publish a release and an update that speaks of a host."""
    machine.site.publish("left", "1.0.0", age=60)
    machine.site.publish("left", "1.0.1", {"index.js": 'module.exports = "https://c2.example.invalid/x";\n'})


@pytest.mark.parametrize(
    ("use", "confidence", "word", "code"),
    [
        ("block", "high", "BLOCK", 1),
        ("block", "low", "HOLD", 1),
        ("hunt", "high", "ALLOW", 0),
        ("known_good", "high", "ALLOW", 0),
        ("do_not_use", "high", "ALLOW", 0),
    ],
)
def test_scan_obeys_an_import(machine: Machine, use: str, confidence: str, word: str, code: int) -> None:
    """What is to be blocked blocks if its source is sure, and holds if not; nothing else has a say."""
    published(machine)
    assert machine.run("scan", "left@1.0.1").code == 0
    name = wrote(machine, "partner.csv", LIST.format(use=use, confidence=confidence))
    ran = machine.run("intel", "import", name)
    assert (ran.code, ran.out) == (0, "partner: 1 indicator taken as lists; 0 not read.\n")
    scanned = machine.run("scan", "left@1.0.1")
    assert (scanned.out.split()[0], scanned.code) == (word, code)
    if code:
        assert "partner says that the package" in scanned.out
    assert machine.run("scan", "left@1.0.0").code == 0


def test_scan_tells_where_a_host_stands(machine: Machine) -> None:
    """Held, with the line; an import that takes it back permits it again, for its source has said so."""
    published(machine)
    machine.run("intel", "import", wrote(machine, "hosts.csv", HOSTS))
    report = machine.run("scan", "left@1.0.1", "--format", "json").report
    (update,) = report["updates"]
    assert update["verdict"] == "hold"
    assert update["for_cause"]
    assert "index.js:1" in " ".join(update["reasons"])
    (record,) = (one for one in update["records"] if one["check"] == "intelligence")
    assert record["demand"] == "hold"
    machine.run("intel", "import", wrote(machine, "hosts.csv", HOSTS.replace("c2.", "c3.")))
    assert machine.run("scan", "left@1.0.1").code == 0


def test_a_source_that_the_settings_want(machine: Machine) -> None:
    """Nothing is permitted before it was imported, nor once it is too old."""
    published(machine)
    (machine.folder / "lazaretto.toml").write_text(
        '[engine]\nworkers = 0\n[intelligence]\nsources = ["partner"]\nmax_age = "1d"\n'
    )
    held = machine.run("scan", "left@1.0.1")
    assert held.code == 3
    assert "was never imported" in held.out
    assert machine.run("intel", "feeds").out.startswith("partner  MISSING")
    machine.run("intel", "import", wrote(machine, "x.csv", HOSTS.replace("c2.", "c3.")), "--source", "partner")
    assert machine.run("scan", "left@1.0.1").code == 0


def test_what_was_not_read_is_told(machine: Machine) -> None:
    """With its place; the rest is taken, and the exit code says that it is not all."""
    broken = "type,value\ndomain,\x1b[31mred\ndomain,c2.example.invalid\ngithub action,x\n"
    ran = machine.run("intel", "import", wrote(machine, "iocs.csv", broken), "--max-age", "30d")
    assert ran.code == 3
    assert ran.out.splitlines()[0].startswith("not read: row 2: ' [31mred' is no name of a host")
    assert "passed over: row 4" in ran.out
    assert ran.out.endswith("iocs: 1 indicator taken as lists; 1 not read.\n")
    listed = machine.run("intel", "feeds", "--unread")
    assert listed.code == 0
    assert "1 not read" in listed.out
    assert "not read: row 2" in listed.out
    told = json.loads(machine.run("intel", "feeds", "--format", "json").out)
    assert told["sources"][0]["taken"]["source"] == "iocs"
    assert not told["sources"][0]["stale"]
    many = "type,value\n" + "domain,no host\n" * 30
    ran = machine.run("intel", "import", wrote(machine, "many.csv", many))
    assert "and 10 more: lazaretto intel feeds --unread" in ran.out
    as_json = machine.run("intel", "import", "many.csv", "--format", "json")
    assert json.loads(as_json.out)["taken"]["unread"] == 30


def test_nothing_to_take_and_wrong_words(machine: Machine) -> None:
    """Exit 4 for an empty list, 2 for words that cannot be understood, 3 for a document that cannot be read."""
    assert machine.run("intel", "feeds").code == 4
    assert machine.run("intel", "import", wrote(machine, "empty.csv", "type,value\n")).code == 4
    for words in (
        ["missing.csv"],
        ["ftp://intel.invalid/x"],
        ["empty.csv", "--max-age", "soon"],
        ["empty.csv", "--token-env", "LAZARETTO_NO_SUCH_TOKEN"],
    ):
        ran = machine.run("intel", "import", *words)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err
    ran = machine.run("intel", "import", wrote(machine, "x.json", "{}"), "--form", "stix")
    assert ran.code == 3
    assert "x.json cannot be read as stix: document: is no bundle" in ran.err


def test_from_an_address(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document, and a collection of TAXII; the token stands in a variable."""
    server = machine.site.server
    ran = machine.run("intel", "import", server.says("/list.csv", HOSTS.encode()), "--licence", "Apache-2.0")
    assert ran.out.startswith(f"{server.url.removeprefix('http://')}: 2 indicators")
    envelope = {
        "objects": [{"type": "indicator", "id": "indicator--1", "pattern": "[domain-name:value = 'a.invalid']"}]
    }
    path = "/api/collections/1/"
    server.says(f"{path}objects/", json.dumps(envelope).encode(), Content_Type=MEDIA_TYPE)
    monkeypatch.setenv("INTEL_TOKEN", "secret")
    ran = machine.run("intel", "import", server.url + path, "--source", "taxii", "--token-env", "INTEL_TOKEN")
    assert ran.out == "taxii: 1 indicator taken as stix; 0 not read.\n"
    assert server.requests[-1][1]["authorization"] == "Bearer secret"


def test_export(machine: Machine) -> None:
    """In each form; what is marked stays, and is counted; what is not blocked is in no block list."""
    machine.run("intel", "import", wrote(machine, "hosts.csv", HOSTS))
    machine.run("intel", "import", wrote(machine, "secret.csv", HOSTS.replace("c2.", "c4.")), "--tlp", "red")
    ran = machine.run("intel", "export", "--format", "hosts", "--source", "hosts", "--source", "secret")
    assert ran.code == 0
    assert ran.out.splitlines()[1:] == ["c2.example.invalid,domain,high,,hosts"]
    assert "2 indicators kept back: marked TLP:RED (--tlp red lets it leave)" in ran.err
    whole = machine.run("intel", "export", "--format", "hosts", "--tlp", "red").out
    ships = [one.value for one in shipped().indicators if one.kind is IndicatorKind.IPV4 and one.use is Use.BLOCK]
    assert ships
    assert [one for one in ships if one not in whole] == [], "what ships goes with it unless a source is named"
    assert "c4.example.invalid" in whole
    only = machine.run("intel", "export", "--format", "csv", "--source", "secret", "--tlp", "red")
    assert "c2.example.invalid" not in only.out
    assert (
        machine.run("intel", "export", "--format", "stix").out == machine.run("intel", "export", "--format", "stix").out
    )
    nobody = machine.run("intel", "export", "--format", "csv", "--source", "nobody")
    assert (nobody.code, nobody.out) == (2, "")
    assert machine.run("intel", "export", "--format", "json", "--campaign", "none").code == 4


def test_what_goes_out_comes_back(machine: Machine) -> None:
    """One machine's bundle is obeyed by another."""
    published(machine)
    machine.run("intel", "import", wrote(machine, "partner.csv", LIST.format(use="block", confidence="high")))
    bundle = machine.run("intel", "export", "--format", "stix").out
    machine.fresh("second")
    assert machine.run("scan", "left@1.0.1").code == 0
    Path(machine.folder / "bundle.json").write_text(bundle)
    assert machine.run("intel", "import", "bundle.json").code == 0
    scanned = machine.run("scan", "left@1.0.1")
    assert scanned.out.startswith("BLOCK")
    assert "partner says" in scanned.out


def test_what_ships_goes_out_without_an_import(machine: Machine) -> None:
    """Dated by the youngest campaign, so that it is the same whenever it is asked for."""
    ran = machine.run("intel", "export", "--format", "navigator")
    assert ran.code == 0
    assert json.loads(ran.out)["techniques"]
    only = machine.run("intel", "export", "--format", "csv", "--source", "lazaretto")
    assert (only.code, only.err) == (0, "")


def test_what_ships_spares_the_innocent(machine: Machine) -> None:
    """A widely copied error in a list hurts nobody; nobody else may speak in its name."""
    published(machine)
    copied = "type,value,use,confidence\nipv4,206.11.142.73,block,high\ndomain,c3.example.invalid,block,high\n"
    machine.site.publish("right", "1.0.0", {"index.js": 'module.exports = "http://206.11.142.73:8000/x";\n'}, age=60)
    machine.run("intel", "import", wrote(machine, "copied.csv", copied))
    report = machine.run("scan", "right@1.0.0", "--format", "json").report
    (record,) = (one for one in report["updates"][0]["records"] if one["check"] == "intelligence")
    assert "demand" not in record
    assert "do_not_use" in record["notes"][0]
    ran = machine.run("intel", "import", "copied.csv", "--source", "lazaretto")
    assert ran.code == 2
    assert "the name of what ships" in ran.err


def test_an_imported_database_is_obeyed(machine: Machine) -> None:
    """Records of OSV, one on each line; what was withdrawn is told and not kept."""
    published(machine)
    record = '{{"id": "MAL-{0}", "modified": "2026-03-30T00:00:00Z"{1}, "affected": [{2}]}}\n'
    package = '{{"package": {{"ecosystem": "npm", "name": "left"}}, "versions": ["{}"]}}'
    text = record.format(1, "", package.format("1.0.1"))
    text += record.format(2, ', "withdrawn": "2026-03-30T00:00:00Z"', package.format("1.0.0"))
    ran = machine.run("intel", "import", wrote(machine, "osv.jsonl", text))
    assert "passed over: line 2: MAL-2 was withdrawn" in ran.out
    assert ran.out.endswith("osv: 1 advisory taken as osv; 0 not read.\n")
    assert "advisory MAL-1 reports malware in this version" in machine.run("scan", "left@1.0.1").out
    assert machine.run("scan", "left@1.0.0").code == 0


def test_a_source_that_is_too_old_is_said(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what it was given when it was imported; without a limit it tells what once happened, and does not grow old."""
    machine.run("intel", "import", wrote(machine, "daily.csv", HOSTS), "--max-age", "1d")
    machine.run("intel", "import", wrote(machine, "incident.csv", HOSTS))
    assert machine.run("intel", "feeds").code == 0
    monkeypatch.setattr(SystemClock, "now", lambda _: NOW + timedelta(days=40))
    listed = machine.run("intel", "feeds")
    assert listed.code == 3
    assert [line.split()[3] for line in listed.out.splitlines()[:2]] == ["STALE", "current"]


def test_what_is_imported_is_known_beside_what_ships(machine: Machine) -> None:
    """An intrusion set of somebody else's bundle is found by its alias; those that ship are still there."""
    bundle = {
        "type": "bundle",
        "id": "bundle--11111111-1111-4111-8111-111111111111",
        "objects": [
            {
                "type": "intrusion-set",
                "spec_version": "2.1",
                "id": "intrusion-set--22222222-2222-4222-8222-222222222222",
                "created": "2026-05-01T00:00:00.000Z",
                "modified": "2026-05-01T00:00:00.000Z",
                "name": "Paper Gull",
                "aliases": ["GULL-7"],
            }
        ],
    }
    name = wrote(machine, "gull.json", json.dumps(bundle))
    assert machine.run("intel", "import", name, "--source", "neighbours").code == 0

    told = machine.run("intel", "actor", "gull-7", "--format", "json")
    assert [one["actor"]["name"] for one in json.loads(told.out)["actors"]] == ["Paper Gull"]
    assert machine.run("intel", "actor", "UNC1069").code == 0
    assert machine.run("intel", "search", "GULL-7").code == 0
