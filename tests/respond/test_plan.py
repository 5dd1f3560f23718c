"""From an incident to its answer: what is said, in which order, and what is left unknown."""

from datetime import date, timedelta
from typing import Any, cast

import pytest
from msgspec.structs import replace

from lazaretto.app.inventory.exposed import Asked
from lazaretto.app.ports import Ecosystem
from lazaretto.app.respond.good import known_good
from lazaretto.app.respond.incident import Closed, Credential, Disk, Good, Ground, Note, Repair
from lazaretto.app.respond.plan import Known, respond
from lazaretto.app.respond.response import Event, Response
from lazaretto.bootstrap import DATA
from lazaretto.core.exposure import Ran, Window
from lazaretto.core.host import Found, HostReport, RegistryEntry
from lazaretto.core.intel import Campaign, Claim, Confidence, Indicator, IndicatorKind, Source, Use
from lazaretto.core.inventory import Place, Proof
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.playbook import Phase
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.infra.guidance import guidance
from tests.respond.company import HIT, NOW, asked, exposure, incident

GUIDANCE = guidance(DATA)
CAMPAIGN = Campaign(
    "2026-03-axios",
    "axios",
    date(2026, 3, 30),
    payload="RAT",
    claims=(Claim("Vendor", "Somebody", Confidence.HIGH, Source("Vendor"), date(2026, 3, 31)),),
)


def indicator(kind: IndicatorKind, value: str, use: Use = Use.BLOCK, context: str = "") -> Indicator:
    """Return one indicator of the campaign."""
    return Indicator(kind, value, use, context=context, campaign=CAMPAIGN.id)


def answer(*, known: Known | None = None, **more: Any) -> Response:
    """Return the answer to an incident."""
    return respond(incident(**more), GUIDANCE, known or Known(), "lazaretto")


def host(**more: Any) -> HostReport:
    """Return the report of a sweep."""
    report = HostReport("1", "lazaretto", "/mnt/a", CAMPAIGN.id, NOW, 3, 1, 0, 0, (), (), (), ())
    return replace(report, **more)


def test_only_what_is_for_blocking_is_blocked() -> None:
    """A shared host that is good for hunting, and a known-good digest, never become a rule."""
    indicators = (
        indicator(IndicatorKind.DOMAIN, "c2.invalid"),
        indicator(IndicatorKind.DOMAIN, "shared.invalid", Use.HUNT),
        indicator(IndicatorKind.IPV4, "198.51.100.7"),
        indicator(IndicatorKind.IPV4, "198.51.100.8:443"),
        indicator(IndicatorKind.IPV6, "2001:db8::7"),
        indicator(IndicatorKind.SHA256, "a" * 64, context="the tool"),
        indicator(IndicatorKind.SHA256, "b" * 64, Use.DO_NOT_BLOCK),
        indicator(IndicatorKind.SHA1, "c" * 40, Use.DO_NOT_USE),
        indicator(IndicatorKind.PACKAGE, "pkg:npm/plain-crypto-js@4.2.1"),
        indicator(IndicatorKind.PACKAGE, "pkg:npm/axios@1.14.0", Use.KNOWN_GOOD),
    )
    found = answer(known=Known(CAMPAIGN, indicators))
    text = "\n".join(line for rule in found.rules for line in rule.lines)
    for wanted in ("c2.invalid", "198.51.100.7 drop", "198.51.100.8 drop", "ip6 daddr 2001:db8::7", "a" * 64):
        assert wanted in text
    for never in ("shared.invalid", "b" * 64, "c" * 40, "axios@1.14.0"):
        assert never not in text
    assert "lazaretto firewall block pkg:npm/axios@1.14.1 --reason 'incident axios'" in text
    assert "lazaretto firewall block pkg:npm/plain-crypto-js@4.2.1" in text


def test_the_playbook_of_the_campaign_comes_first_and_its_payload_is_followed() -> None:
    """What is known of a campaign decides on the playbooks; claims are quoted, each as its vendor's."""
    found = answer(known=Known(CAMPAIGN), campaign=CAMPAIGN.id, exposures=(exposure(),))
    assert found.playbooks == ("axios-2026-03", "remote-access", "general")
    assert found.claims == ("Vendor, 2026-03-31: Somebody (high confidence)",)
    assert not found.trap
    assert answer(payloads=("worm",)).trap


def test_the_timeline_is_in_order_and_says_what_only_the_day_is_known_of() -> None:
    """Everything with a time is told, once, in UTC."""
    left = exposure(Place("history", "/srv/left"), last=HIT + timedelta(hours=2))
    found = answer(
        known=Known(CAMPAIGN),
        exposures=(exposure(ran=Ran.YES), left),
        window=Window(HIT, HIT + timedelta(hours=3)),
        notes=(Note(NOW, "a", "network cut"), Note(NOW, "a", "done", "general/rebuild")),
        hosts=(host(),),
        closed=Closed(NOW + timedelta(days=1), "a", "over"),
    )
    assert [event.at for event in found.timeline] == sorted(event.at for event in found.timeline)
    text = "\n".join(event.what for event in found.timeline)
    for words in (
        "first seen of the campaign",
        "begins",
        "ends",
        "and it ran",
        "no longer has",
        "network cut",
        "swept",
    ):
        assert words in text
    assert "[general/rebuild done]" in text
    assert "closed by a: over" in text
    assert found.timeline[0].day
    assert found.state == "closed"


def test_steps_depend_on_what_was_found() -> None:
    """Where nothing ran and no registry served it, nobody is told to build anew or to empty mirrors."""
    quiet = answer(exposures=(exposure(ran=Ran.UNLIKELY),))
    ids = {task.id for task in quiet.tasks}
    assert "general/rebuild" not in ids
    assert "general/purge-mirrors" not in ids
    assert "general/revoke-from-elsewhere" not in ids
    assert "purge/npm" in ids
    assert "purge/pnpm" not in ids
    assert "purge/pip" not in ids
    served = exposure(Place("proxy-log", "/log"), proof=Proof.SERVED, note="asked for by 192.0.2.7")
    loud = answer(
        exposures=(exposure(ran=Ran.YES), served),
        grounds=(Ground("home", "/home/a", (), (Credential("npm token", "NPM_TOKEN", "/home/a/.env", 2, "x"),)),),
        notes=(Note(NOW, "a", "done", "general/rebuild"),),
    )
    tasks = {task.id: task for task in loud.tasks}
    assert {"general/purge-mirrors", "purge/Verdaccio", "general/revoke-from-elsewhere"} <= set(tasks)
    assert tasks["general/rebuild"].done == "a, 2026-03-31 06:00Z"
    assert "NPM_TOKEN" in tasks["revoke/npm-token"].title
    assert "lies at /home/a/.env:2 NPM_TOKEN (x)" in tasks["revoke/npm-token"].how
    assert "which machines these are, and what became of it there: asked for by 192.0.2.7" in loud.unknown


def test_all_caches_of_an_ecosystem_where_no_client_is_known() -> None:
    """A log names no client: then every client of the ecosystem may hold it."""
    found = answer(exposures=(exposure(Place("build-log", "/log"), proof=Proof.LOGGED),))
    ids = {task.id for task in found.tasks if task.phase is Phase.PURGE}
    assert {"purge/npm", "purge/pnpm", "purge/yarn", "purge/bun"} <= ids
    assert "purge/uv" not in ids
    assert any("which secrets the jobs had" in text for text in found.unknown)


def test_names_are_quoted_as_a_shell_wants_it() -> None:
    """A command that is copied does what it says, whatever a package is called."""
    evil = asked()
    evil = replace(evil, name="a; rm -rf ~")
    found = answer(releases=(evil,), exposures=(exposure(),))
    for text in (*(line for rule in found.rules for line in rule.lines), *(c for t in found.tasks for c in t.commands)):
        assert "a; rm -rf ~" not in text.replace("'a; rm -rf ~'", "").replace("'pkg:npm/a; rm -rf ~@1.14.1'", "")


def test_repairs_become_steps() -> None:
    """What has a patch is one step with the commands that follow; what has none is listed."""
    many = tuple(Repair(f"/p{number:02}", "npm", by_hand="why") for number in range(14))
    found = answer(repairs=(Repair("/a", "npm", "--- a\n", "npm install"), *many), exposures=(exposure(),))
    tasks = {task.id: task for task in found.tasks}
    assert tasks["repair/patches"].commands == ("npm install",)
    assert tasks["repair/by-hand"].how[-1] == "and 2 more"
    alone = answer(repairs=(Repair("/a", "uv", "", "uv lock", "why"),))
    assert {task.id: task for task in alone.tasks}["repair/by-hand"].commands == ("uv lock",)


def test_long_lists_are_counted() -> None:
    """A step names some of the places, and says how many more there are and where they stand."""
    every = tuple(Credential("npm token", f"T{number:02}", f"/h{number:02}", 0, "x") for number in range(15))
    found = answer(exposures=(exposure(),), grounds=(Ground("home", "/", (), every, ("/x: why",)),))
    (task,) = (task for task in found.tasks if task.id == "revoke/npm-token")
    assert "and 3 more" in task.title
    assert "and at 11 more places" in task.how[-1]
    assert len(found.credentials[0].where) == 15
    assert any("/x: why" in text for text in found.unknown)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "name it with --window"),
        ({}, "name it with --campaign"),
        ({"campaign": "c", "exposures": (exposure(),)}, "lazaretto hostcheck"),
        ({"places": 0}, "the inventory is empty"),
        ({"unread": ("a: why",)}, "could not be read: a: why"),
        ({"hosts": (host(unread=("b: why",)),)}, "b: why"),
        ({"exposures": tuple(exposure(Place("lockfile", f"/{n}")) for n in range(9))}, "and 1 more"),
        (
            {
                "campaign": "c",
                "hosts": (host(),),
                "disks": (Disk("a", "/mnt/a"), Disk("b", "/mnt/b"), Disk("c", "/mnt/c")),
                "exposures": (
                    exposure(Place("node_modules", "a/x"), proof=Proof.INSTALLED),
                    exposure(Place("node_modules", "b/x"), proof=Proof.INSTALLED),
                ),
            },
            "on disks that were not swept: b",
        ),
    ],
)
def test_what_is_unknown_is_said(more: dict[str, Any], words: str) -> None:
    """An answer that does not say what it does not know is taken for the whole truth."""
    assert any(words in text for text in answer(**more).unknown), answer(**more).unknown


def test_sweeps_are_counted() -> None:
    """What fits counts; what is known and harmless does not."""
    fits = Found("/a", IndicatorKind.SHA256, "x", Use.BLOCK, Confidence.HIGH, "a file")
    found = answer(hosts=(host(found=(fits, replace(fits, known=True, value="y"))),))
    assert "1 disks were swept: 1 indicators fit" in found.summary


def test_when_a_registry_was_changed_is_in_the_timeline() -> None:
    """Once for each key, whatever fits in it; a key that does not say when is left out."""
    entries = [RegistryEntry("HKCU\\Run", name, NOW.replace(hour=0)) for name in ("a", "b")]
    entries.append(RegistryEntry("HKCU\\Other", None, None))
    fits = Found("/mnt/a/x", IndicatorKind.REGISTRY_VALUE, "x", Use.BLOCK, Confidence.HIGH, "a value")
    swept = host(found=(fits, *(replace(fits, registry=one) for one in entries)))
    told = [event for event in answer(hosts=(swept,)).timeline if "last written" in event.what]
    assert told == [Event(NOW.replace(hour=0), "/mnt/a/x: HKCU\\Run was last written")]


def test_each_line_goes_back_to_its_own_good_version() -> None:
    """0.30.4 goes to 0.30.3 and 1.14.1 to 1.14.0, not the one to the other."""
    indicators = [
        indicator(IndicatorKind.PACKAGE, "pkg:npm/axios@1.14.0", Use.KNOWN_GOOD),
        indicator(IndicatorKind.PACKAGE, "pkg:npm/axios@0.30.3", Use.KNOWN_GOOD),
        indicator(IndicatorKind.PACKAGE, "pkg:npm/%40a/b@1.0.0", Use.KNOWN_GOOD),
        indicator(IndicatorKind.PACKAGE, "nonsense", Use.KNOWN_GOOD),
        indicator(IndicatorKind.PACKAGE, "pkg:npm/c@not a version", Use.KNOWN_GOOD),
    ]
    releases = [asked(), asked(version="0.30.4"), asked("@a/b", "0.9.0"), asked("c", "1.0.0")]
    assert list(known_good(indicators, releases, lambda _: cast("Ecosystem", NPM))) == [
        Good("npm", "axios", "1.14.0", "1.14.1"),
        Good("npm", "axios", "0.30.3", "0.30.4"),
    ]


def test_two_ecosystems_and_no_times() -> None:
    """Each client empties its cache of the releases of its own ecosystem; what has no time is in no timeline."""
    other = Asked("pypi", ProjectName("litellm"), Version("1.82.7"))
    one = exposure(Place("lockfile", "/p/uv.lock", client="uv"), ecosystem="pypi", name="litellm", first=None)
    found = answer(releases=(asked(), other), exposures=(one, exposure()))
    commands = {task.id: task.commands for task in found.tasks if task.phase is Phase.PURGE}
    assert commands["purge/uv"] == ("uv cache clean litellm",)
    assert not any("axios" in text for text in commands["purge/uv"])
    assert not any("/p/uv.lock" in event.what for event in found.timeline)
