"""What is asked of every playbook, and of the tables of credentials and clients that ship."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.respond.incident import SCHEMA, Credential, Ground, Incident
from lazaretto.app.respond.plan import Known, respond
from lazaretto.app.respond.ports import IncidentError
from lazaretto.bootstrap import DATA
from lazaretto.core.credential_names import OTHER, kind_of
from lazaretto.core.host import sought
from lazaretto.core.intel import IndicatorKind, Use
from lazaretto.core.playbook import ORDER, Phase, Playbook, PlaybookError, chosen, classes, decode
from lazaretto.infra import reach
from lazaretto.infra.guidance import guidance
from lazaretto.infra.knowledge import shipped
from lazaretto.infra.secrets_here import LAIRS
from tests.respond.company import NOW, exposure, incident

GUIDANCE = guidance(DATA)
PAYLOADS = (
    "miner",
    "backdoor",
    "credential theft",
    "wallet drain",
    "sabotage",
    "miner + stealer",
    "stealer",
    "protestware",
    "wiper / protestware",
    "RAT",
    "wiper",
    "credential theft + wiper",
    "worm",
    "data theft",
    "worm + wiper",
    "wallet drain + RAT",
    "unwanted software",
)
"""Every class of payload of the documented incidents, as the record writes them."""


KNOWN = {one.payload for one in shipped().campaigns if not one.payload.startswith("not told")}


@pytest.mark.parametrize("payload", sorted({*PAYLOADS, *KNOWN}))
def test_every_class_of_payload_has_a_playbook(payload: str) -> None:
    """No class of the record is left without its own steps, however it is combined."""
    served = {one.casefold() for book in GUIDANCE.playbooks for one in book.payloads}
    assert {one.casefold() for one in classes(payload)} <= served
    assert len(chosen(GUIDANCE.playbooks, "", (payload,))) >= 2


def test_campaigns_of_playbooks_are_known() -> None:
    """A playbook for a campaign that nobody knows would never be used."""
    known = {one.id for one in shipped().campaigns}
    for book in GUIDANCE.playbooks:
        assert set(book.campaigns) <= known, book.id


def test_what_ships_is_used_as_its_sources_say() -> None:
    """For axios as it is known: nothing that must not be blocked is in a rule, or looked for on a machine."""
    (campaign,) = (one for one in shipped().campaigns if one.id == "2026-03-axios")
    indicators = shipped().of_campaign(campaign.id)
    found = respond(incident(campaign=campaign.id), GUIDANCE, Known(campaign, indicators), "x")
    rules = "\n".join(line for rule in found.rules for line in rule.lines)
    hosts = [one.value for one in indicators if one.kind is IndicatorKind.DOMAIN and one.use is Use.BLOCK]
    assert hosts
    assert [host for host in hosts if f"0.0.0.0 {host}" not in rules] == []
    for one in indicators:
        if one.use is not Use.BLOCK:
            assert f" {one.value}\n" not in f"{rules}\n", one
    looked = sought(indicators, NOW)
    told = {one.use for one in (*looked.digests.values(), *(pattern.indicator for pattern in looked.paths))}
    assert told == {Use.BLOCK, Use.HUNT, Use.DO_NOT_BLOCK}
    assert all("2553649f232204966871cea80a5d0d6adc700ca" not in text for text in (*looked.digests, rules))


@pytest.mark.parametrize("book", GUIDANCE.playbooks, ids=lambda book: book.id)
def test_a_playbook_is_complete(book: Playbook) -> None:
    """It says what it is for, and why each step is done where it is done."""
    assert book.title
    assert book.summary.endswith(".")
    for step in book.steps:
        assert re.fullmatch(r"[a-z0-9-]+", step.id), step.id
        assert step.title[0].isupper() or step.title.startswith("macOS"), step.title
        assert "{" not in step.title, "titles are said as they are"
        assert step.why, step.id
        assert step.how or step.commands or step.phase in {Phase.BLOCK, Phase.PURGE}, step.id


def test_one_playbook_serves_everything() -> None:
    """Even where nothing is known of the payload there is an answer, with each phase and words for others."""
    (book,) = chosen(GUIDANCE.playbooks, "", ())
    assert book.always
    assert {step.phase for step in book.steps} == set(Phase)
    assert book.notification


def test_a_trap_is_said_where_the_payload_reacts_to_a_revocation() -> None:
    """Worms and wipers are known to wait for a token that stops working."""
    for payload in ("worm", "wiper", "worm + wiper"):
        books = chosen(GUIDANCE.playbooks, "", (payload,))
        assert any(book.trap for book in books)
        assert any(step.phase is Phase.DISARM for book in books for step in book.steps)


def test_every_kind_of_credential_can_be_rotated() -> None:
    """Whatever may be found has a row that says how it is taken back, and what is looked at afterwards."""
    rows = {one.kind for one in GUIDANCE.credentials}
    found = {lair.kind for lair in LAIRS} | {kind for _, kind in reach._BY_PLACE}
    found |= {kind for _, kind, _ in reach._POWERS} | {"cloud role (instance metadata)", OTHER}
    assert found <= rows
    assert len(rows) == len(GUIDANCE.credentials)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("NPM_TOKEN", "npm token"),
        ("node_auth_token", "npm token"),
        ("GH_TOKEN", "GitHub token"),
        ("PROD_AWS_SECRET_ACCESS_KEY", "cloud key (AWS)"),
        ("TWINE_PASSWORD", "PyPI token"),
        ("DEPLOY_KEY", "SSH key"),
        ("STRIPE_SECRET", OTHER),
    ],
)
def test_names_tell_kinds(name: str, kind: str) -> None:
    """A variable or a CI secret is of a kind by its name."""
    assert kind_of(name, GUIDANCE.credentials) == kind


def test_every_client_with_a_lockfile_can_be_cleaned() -> None:
    """Each client of the ecosystems has commands, and every command names only what is filled in."""
    clients = {one.client for one in GUIDANCE.clients}
    assert {"npm", "pnpm", "yarn", "bun", "deno", "pip", "uv", "poetry", "pdm", "pipenv"} <= clients
    for one in GUIDANCE.clients:
        assert one.purge, one.client
        for command in (*one.purge, one.relock):
            assert set(re.findall(r"\{(\w+)\}", command)) <= {"name", "version", "good"}, command


CREDENTIALS = tuple(Credential(one.kind, "", "/home/a", 0, "it lies there") for one in GUIDANCE.credentials)


@given(
    payloads=st.lists(st.sampled_from(PAYLOADS), max_size=4),
    campaign=st.sampled_from(["", *(one for book in GUIDANCE.playbooks for one in book.campaigns)]),
    credentials=st.sets(st.sampled_from(CREDENTIALS), max_size=6),
)
def test_nothing_is_revoked_before_what_waits_for_it_is_gone(
    payloads: list[str], campaign: str, credentials: set[Credential]
) -> None:
    """Whatever playbooks take part, every step that disarms comes before every step that revokes."""
    ground = Ground("home", "/home/a", ("/home/a/p",), tuple(sorted(credentials)))
    one = incident(payloads=tuple(payloads), campaign=campaign, exposures=(exposure(),), grounds=(ground,))
    phases = [ORDER.index(task.phase) for task in respond(one, GUIDANCE, Known(), "x").tasks]
    assert phases == sorted(phases)
    assert ORDER.index(Phase.ISOLATE) < ORDER.index(Phase.DISARM) < ORDER.index(Phase.REVOKE)


def test_credentials_are_rotated_in_the_order_of_the_table() -> None:
    """What publishes in somebody's name comes before what opens one application."""
    ground = Ground("home", "/home/a", ("/home/a/p",), tuple(reversed(CREDENTIALS)))
    found = respond(incident(exposures=(exposure(),), grounds=(ground,)), GUIDANCE, Known(), "x")
    assert [one.kind for one in found.credentials] == [one.kind for one in GUIDANCE.credentials]
    revoked = [task.title for task in found.tasks if task.id.startswith("revoke/")]
    assert "npm token" in revoked[0]
    assert OTHER in revoked[-1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "missing required field"),
        ('schema = 2\nid = "a"\ntitle = "a"\nsummary = "a"\nalways = true', "schema 2"),
        ('schema = 1\nid = "a"\ntitle = "a"\nsummary = "a"', "say one of"),
        ('schema = 1\nid = "a"\ntitle = "a"\nsummary = "a"\nalways = true\nmore = 1', "more"),
        ('schema = 1\nid = "a"\ntitle = "a"\nsummary = "a"\nalways = true\nnotification = "{secret}"', "braces hold"),
        (
            'schema = 1\nid = "a"\ntitle = "a"\nsummary = "a"\nalways = true\n'
            + '[[steps]]\nid = "s"\nphase = "watch"\ntitle = "t"\n' * 2,
            "same id",
        ),
        ("[", "Expected|Invalid"),
    ],
)
def test_a_broken_playbook_is_refused(text: str, why: str) -> None:
    """A playbook that is not understood is an error, never a shorter answer."""
    with pytest.raises(PlaybookError, match=why):
        decode(text, Playbook)


def test_playbooks_of_ones_own(tmp_path: Path) -> None:
    """One new file adds a playbook; one of the same name takes the place of ours; a misnamed one is refused."""
    text = 'schema = 1\nid = "worm"\ntitle = "ours"\nsummary = "a."\npayloads = ["worm"]\n'
    (tmp_path / "worm.toml").write_text(text)
    (tmp_path / "own.toml").write_text(text.replace("worm", "own"))
    found = {one.id: one.title for one in guidance(DATA, tmp_path).playbooks}
    assert found["worm"] == found["own"] == "ours"
    (tmp_path / "other.toml").write_text(text)
    with pytest.raises(IncidentError, match="make them the same"):
        guidance(DATA, tmp_path)
    with pytest.raises(IncidentError, match="no such folder"):
        guidance(DATA, tmp_path / "none")
    (tmp_path / "other.toml").write_text("[")
    with pytest.raises(IncidentError, match=r"other\.toml"):
        guidance(DATA, tmp_path)


def test_the_incident_has_a_schema() -> None:
    """What is made by tests is of the schema that is written."""
    assert isinstance(incident(), Incident)
    assert incident().schema == SCHEMA
    assert incident().opened == NOW
