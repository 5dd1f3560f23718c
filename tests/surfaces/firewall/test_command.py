"""The firewall's commands, run in this process on the state of a gate."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.__main__ import _command_line
from lazaretto.app.advice import Fetched, Source, update
from lazaretto.app.ports import Urgency
from lazaretto.core.access import Tokens
from lazaretto.ecosystems.npm import ECOSYSTEM
from lazaretto.feeds.osv import parse
from lazaretto.infra.advisories import SqliteAdvisories
from lazaretto.infra.clock import SystemClock
from lazaretto.surfaces.firewall.command import main
from lazaretto.surfaces.firewall.service import _Alone
from tests.app.yard import NAME, NOW, Yard

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    """Return a gate whose newest release is held, on the state that the commands use."""
    made = Yard(tmp_path / "state")
    made.upstream.publish("1.0.0")
    made.upstream.publish("1.1.0", age=0.1)
    made.versions()
    made.hands.answer("1.1.0", "hold")
    made.get("1.0.0")
    return made


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command and returns its exit code and all that it printed."""
    (tmp_path / "state").mkdir(exist_ok=True)
    monkeypatch.setenv("LAZARETTO_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LAZARETTO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(SystemClock, "now", lambda _: NOW)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lazaretto.toml").write_text(
        "[firewall]\n"
        '[[firewall.upstream]]\necosystem = "npm"\nurl = "https://npm.example.invalid/"\n'
        '[[firewall.upstream]]\necosystem = "pypi"\nurl = "https://pypi.example.invalid/simple/"\n'
    )

    def command(*words: str) -> tuple[int, str]:
        code = main(words)
        said = capsys.readouterr()
        return code, said.out + said.err

    return command


def test_the_queue_and_the_evidence(yard: Yard, run: Run) -> None:
    """What is held is listed with its reason; one artifact is shown with all that was decided of it."""
    verdict = yard.item("1.1.0").standing.verdict
    code, listed = run("firewall", "review")
    assert code == 0
    assert f"{verdict}  hold   npm:thing@1.1.0  thing-1.1.0.tgz" in listed
    code, shown = run("firewall", "review", verdict.lower())

    assert code == 0
    assert "withheld  npm:thing@1.1.0" in shown
    assert "read: hold" in shown
    assert run("firewall", "review", "NOTHING1")[0] == 2


def test_the_queue_is_bounded(yard: Yard, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest are listed."""
    yard.upstream.publish("2.0.0", age=0.2)
    yard.now += timedelta(minutes=2)
    yard.versions()
    yard.hands.answer("2.0.0", "hold")
    monkeypatch.setattr("lazaretto.surfaces.firewall.command.MAX_LISTED", 1)
    listed = run("firewall", "review")[1]

    assert "thing@2.0.0" in listed
    assert "thing@1.1.0" not in listed


def test_the_queue_says_to_whom(yard: Yard, run: Run, tmp_path: Path) -> None:
    """Each group has its own policy: one only watches, and another waits for longer than everyone else."""
    with (tmp_path / "lazaretto.toml").open("a") as config:
        config.write('[firewall.groups.lab]\nmode = "observe"\n')
    assert "refused to everyone but the groups lab" in run("firewall", "review")[1]
    with (tmp_path / "lazaretto.toml").open("a") as config:
        config.write('[firewall.groups.careful]\ncooldown = "7d"\n')
    yard.upstream.publish("1.0.1", age=2)
    yard.now += timedelta(minutes=2)
    yard.versions()
    yard.item("1.0.1")
    yard.gate.read(yard.gate.request(yard.item("1.0.1")), Urgency.ASKED, yard.now)
    yard.hands.answer("1.0.1", "allow", clean=False)
    listed = run("firewall", "review")[1].splitlines()

    assert "npm:thing@1.0.1" in listed[0]
    assert "younger than the cooldown" in listed[1]
    assert listed[2].strip() == "refused to the groups careful alone"
    assert "refused to everyone but the groups lab" in listed[5]
    assert "refused to the groups careful alone" in run("firewall", "review", "pkg:npm/thing@1.0.1")[1]


def test_what_is_shown_is_what_the_firewall_would_say(yard: Yard, run: Run, tmp_path: Path) -> None:
    """With the advisories, and with the digest that was first seen: not what a decision alone would say."""
    yard.upstream.publish("1.0.0", data=b"exchanged")
    yard.now += timedelta(minutes=2)
    yard.gate.shelf.view("npm", NAME, None, yard.now)  # noted, but no alarm has sounded yet
    shown = run("firewall", "review", "pkg:npm/thing@1.0.0")[1]
    assert "admitted  npm:thing@1.0.0" in shown
    assert "withheld  npm:thing@1.0.0" in shown
    assert "the index tells another digest" in shown
    record = {"package": {"ecosystem": "npm", "name": "thing"}, "versions": ["1.0.0"]}
    feed = json.dumps({"id": "MAL-2026-7", "modified": "2026-03-30T00:00:00Z", "affected": [record]}).encode()
    with (tmp_path / "lazaretto.toml").open("a") as config:
        config.write('[[firewall.advisories]]\nname = "local"\nplace = "feed.json"\n')
    book = SqliteAdvisories(tmp_path / "cache", {"npm": ECOSYSTEM.name})
    update(Source("local", lambda _: Fetched(feed), parse), book, NOW)
    book.close()
    shown = run("firewall", "review", "pkg:npm/thing@1.0.0")[1]

    assert "admitted  npm:thing@1.0.0" not in shown
    assert "MAL-2026-7 reports malware in this version" in shown


def test_deciding_and_checking_the_record(yard: Yard, run: Run) -> None:
    """An act says what it did, empties the queue, and is found in the chain."""
    assert run("audit", "verify")[0] == 4
    reason = ("--reason", "read by hand", "--by", "ada")
    code, said = run("firewall", "waive", "pkg:npm/thing@1.1.0", *reason, "--until", "2026-04-30")
    assert (code, "allow until 2026-04-30 00:00 UTC  npm:thing@1.1.0" in said) == (0, True)
    assert yard.get("1.1.0")
    assert run("firewall", "review") == (4, "nothing is withheld\n")
    code, said = run("audit", "verify")
    assert (code, said.startswith("1 acts, each sealed")) == (0, True)
    assert run("firewall", "waive", "pkg:npm/thing@1.1.0", *reason)[0] == 2
    code, said = run("firewall", "status")

    assert (code, "handed out 2" in " ".join(said.split())) == (0, True)


def test_a_broken_record_is_told(yard: Yard, run: Run) -> None:
    """With the number of the act, and an exit code of its own."""
    run("firewall", "block", "pkg:npm/thing@1.1.0", "--reason", "x", "--by", "ada")
    for statement in ("DROP TRIGGER act_no_update", "UPDATE act SET reason = 'y'"):
        yard.ledger._database.write(statement, ())
    code, said = run("audit", "verify")

    assert code == 1
    assert said.startswith("act 1:")


def test_tokens(yard: Yard, run: Run) -> None:
    """A token's text is shown once; it is listed by its name and gone when it is revoked; each is an act."""
    code, text = run("firewall", "token", "make", "ci", "--group", "ci", "--by", "ada")
    assert (code, text.startswith("lzt_")) == (0, True)
    assert run("firewall", "token", "make", "ci", "--by", "ada")[0] == 3
    found = Tokens(yard.ledger.tokens()).find(text.strip(), NOW)
    assert found is not None
    assert found.group == "ci"
    assert "ci  read  expires never  group ci" in run("firewall", "token", "list")[1]
    assert run("firewall", "token", "make")[0] == 2
    assert run("firewall", "token", "make", "old", "--until", "2020-01-01")[0] == 2
    assert run("firewall", "token", "revoke", "ci", "--by", "ada")[0] == 0
    assert yard.ledger.tokens() == ()
    assert [entry.content["what"] for entry in yard.ledger.acts()] == ["make-token", "revoke-token"]


def test_the_settings_are_told(yard: Yard, run: Run, tmp_path: Path) -> None:
    """What they mean; a firewall that would ask itself is refused."""
    code, said = run("firewall", "check-config")
    assert (code, "npm       https://npm.example.invalid/" in said) == (0, True)
    assert ("traces    none" in said, "keep      20480 MiB" in said, "publish refuse, login refuse at" in said) == (
        True,
    ) * 3
    text = (tmp_path / "lazaretto.toml").read_text()
    more = '[firewall]\nkeep = "1 GiB"\ntraces = "http://127.0.0.1:4318/v1/traces"\n'
    issuer = (
        '[[firewall.issuer]]\nname = "forge"\nurl = "https://issuer.invalid"\naudience = "us"\nclaims = {sub = ["x"]}\n'
    )
    (tmp_path / "lazaretto.toml").write_text(text.replace("[firewall]\n", more) + issuer)
    said = run("firewall", "check-config")[1]
    for line in (
        "traces    http://127.0.0.1:4318",
        "keep      1024 MiB",
        "issuer    forge: https://issuer.invalid for us",
    ):
        assert line in said
    (tmp_path / "lazaretto.toml").write_text(text.replace("https://npm.example.invalid/", "http://localhost:8790/npm/"))
    code, said = run("firewall", "check-config")
    assert (code, "would ask itself" in said) == (3, True)
    (tmp_path / "lazaretto.toml").write_text("[firewall]\nmode = 1\n")
    assert run("firewall", "check-config")[0] == 2


def test_what_is_shared_is_told(yard: Yard, run: Run, tmp_path: Path) -> None:
    """Where ledger and blobs are that other firewalls use too, and where the password comes from."""
    settings = tmp_path / "lazaretto.toml"
    text = settings.read_text()
    settings.write_text(
        f'{text}[state]\njournal = "postgresql://me@db.example.invalid/x"\nblobs = "s3://bucket/prefix"\n'
    )
    code, said = run("firewall", "check-config")
    assert code == 0
    assert "journal   postgresql://me@db.example.invalid/x, password from PGPASSWORD" in said
    assert "blobs     s3://bucket/prefix (as the usual variables say)" in said
    settings.write_text(f'{text}[state]\npassword_file = "/run/secret"\nendpoint = "https://store.example.invalid"\n')
    assert "journal" not in run("firewall", "check-config")[1]


def test_one_firewall_for_each_state(yard: Yard, run: Run, tmp_path: Path) -> None:
    """A second one on the same folder is refused before it does anything."""
    with _Alone(tmp_path / "state"):
        code, said = run("firewall", "run")

    assert (code, "another firewall runs on" in said) == (3, True)


def test_an_address_that_is_taken(yard: Yard, run: Run, tmp_path: Path) -> None:
    """It is told, with the setting that names another."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        text = (tmp_path / "lazaretto.toml").read_text()
        listen = f'[firewall]\nlisten = "127.0.0.1:{other.getsockname()[1]}"\n'
        (tmp_path / "lazaretto.toml").write_text(text.replace("[firewall]\n", listen, 1))
        code, said = run("firewall", "run")

    assert (code, "cannot be listened on" in said) == (3, True)


@pytest.mark.parametrize("words", [["firewall", "review"], ["audit", "verify"]])
def test_the_words_lead_here(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """The first word chooses the surface."""
    monkeypatch.setattr("sys.argv", ["lazaretto", *words])
    assert _command_line() is main
