"""What ships about attackers is well formed, complete as to the record, and names its sources; nothing is guessed."""

import json
import re
from pathlib import Path

import pytest

from lazaretto.core.intel import IndicatorKind, Use
from lazaretto.core.knowledge import MAX_FILE, Knowledge, KnowledgeError, decode
from lazaretto.infra.knowledge import FOLDER, shipped

SETS, CAMPAIGNS = shipped().sets, shipped().campaigns
ROOT = Path(__file__).parents[2]
TECHNIQUES = json.loads((FOLDER.parent / "attack.json").read_text(encoding="utf-8"))["techniques"]
HEX = {IndicatorKind.MD5: 32, IndicatorKind.SHA1: 40, IndicatorKind.SHA256: 64, IndicatorKind.SHA512: 128}
PURL = re.compile(r"pkg:[a-z-]+/[\w.%/+-]+(?:@[\w.+-]+)?")

ACTOR = b'name = "A"\n[sources.S]\nname = "s"\n[[aliases]]\nname = "Alpha"\nvendor = "V"\n'
CAMPAIGN = b"""
name = "C"
first_seen = 2026-01-02
ecosystem = "npm"
vector = "token"
payload = "stealer"
confidence = "high"
[sources.S]
name = "s"
[[claims]]
vendor = "V"
actor = "Alpha"
confidence = "low"
source = "S"
[[indicators]]
kind = "domain"
value = "c2.invalid"
use = "block"
confidence = "high"
sources = ["S"]
"""


def known(**files: bytes) -> Knowledge:
    """Return what these files say; ``actors__a`` is ``actors/a.toml``."""
    return decode((f"{name.replace('__', '/')}.toml", data) for name, data in files.items())


def test_every_incident_that_is_replayed_is_a_campaign() -> None:
    """A specimen stands for an incident of the record, and the record is here."""
    ids = {campaign.id for campaign in shipped().campaigns}
    told = {
        re.findall(r'^incident\s*=\s*"(.*)"', sheet.read_text(encoding="utf-8"), re.MULTILINE)[0]
        for sheet in (ROOT / "replays").rglob("replay.toml")
    }
    named = {name for name in told if re.match(r"\d{4}-\d{2}-", name)}

    assert len(shipped().campaigns) >= 52
    assert {name for name in named if not name.startswith(("2026-05-", "2026-06-phantom"))} <= ids


def test_ids_are_unique_and_every_name_is_told_once() -> None:
    """Two sets or campaigns are never taken for each other, and no alias of one vendor means two of them."""
    knowledge = shipped()
    ids = [one.id for one in knowledge.sets] + [one.id for one in knowledge.campaigns]
    aliases = [(one.name.casefold(), one.vendor) for told in knowledge.sets for one in told.aliases]

    assert len(ids) == len(set(ids))
    assert len(aliases) == len(set(aliases))
    assert [name for name, sets in knowledge.by_alias.items() if len(sets) > 1] == []


def test_techniques_are_those_of_the_table() -> None:
    """A technique that was revoked, or never was, helps nobody."""
    told = {technique for one in SETS for technique in one.techniques}
    told |= {technique for one in CAMPAIGNS for technique in one.techniques}

    assert told - TECHNIQUES.keys() == set()


def test_everything_names_its_source() -> None:
    """What has no source is a rumour."""
    knowledge = shipped()

    sources = {one.id: one.sources for one in SETS} | {one.id: one.sources for one in CAMPAIGNS}

    assert [name for name, found in sources.items() if not found] == []
    assert [one.value for one in knowledge.indicators if not one.sources or not all(s.name for s in one.sources)] == []
    assert [c.id for c in knowledge.campaigns for claim in c.claims if not claim.vendor or not claim.source.name] == []
    urls = {one.url for found in sources.values() for one in found if one.url}
    assert {url for url in urls if not url.startswith("https://")} == set()


def test_indicators_are_what_they_say() -> None:
    """A digest has its length; a package is a purl; what must not be used says so, and why."""
    for one in shipped().indicators:
        if one.kind in HEX and one.use is not Use.DO_NOT_USE:
            assert re.fullmatch(rf"[0-9a-f]{{{HEX[one.kind]}}}", one.value), one
        if one.kind is IndicatorKind.PACKAGE:
            assert PURL.fullmatch(one.value), one
        if one.use in (Use.DO_NOT_USE, Use.DO_NOT_BLOCK, Use.KNOWN_GOOD):
            assert one.context, one


def test_axios_is_told_with_every_use() -> None:
    """Blocking what is benign does as much harm as the attack: each use is there and kept apart."""
    told = shipped().of_campaign("2026-03-axios")
    by_use = {use: {one.value for one in told if one.use is use} for use in Use}
    kinds = {use: {one.kind for one in told if one.use is use} for use in Use}

    assert {IndicatorKind.DOMAIN, IndicatorKind.IPV4, IndicatorKind.SHA256} <= kinds[Use.BLOCK]
    assert IndicatorKind.IPV4 in kinds[Use.DO_NOT_USE]
    assert "pkg:npm/axios@1.14.0" in by_use[Use.KNOWN_GOOD]
    assert "9f914d42706fe215501044acd85a32d58aaef1419d404fddfa5d3b48f66ccd9f" in by_use[Use.DO_NOT_BLOCK]
    assert not by_use[Use.BLOCK] & (by_use[Use.KNOWN_GOOD] | by_use[Use.DO_NOT_USE] | by_use[Use.DO_NOT_BLOCK])


def test_packages_are_purls() -> None:
    """Everybody else can match them."""
    assert [p for c in shipped().campaigns for p in c.packages if not PURL.fullmatch(p)] == []


def test_claims_are_not_merged() -> None:
    """Two vendors with two names stay two claims, and lead to the one set that has both names."""
    knowledge = shipped()
    axios = next(one for one in knowledge.campaigns if one.id == "2026-03-axios")
    behind = knowledge.behind(axios)

    assert set(behind) == {"unc1069"}
    assert {"GTIG", "Microsoft"} <= {claim.vendor for claim in behind["unc1069"]}
    assert {claim.actor for claim in axios.claims} >= {"UNC1069", "Sapphire Sleet"}
    assert "Qihoo 360" not in {claim.vendor for claim in behind["unc1069"]}  # it says Lazarus, which is wider


def test_files_become_values() -> None:
    """A claim leads to the set that has the name, whoever gave it; an indicator belongs to its campaign."""
    knowledge = known(actors__a=ACTOR, campaigns__c=CAMPAIGN)

    assert knowledge.called("ALPHA")[0].id == "a"
    assert set(knowledge.behind(knowledge.campaigns[0])) == {"a"}
    assert [one.value for one in knowledge.of_campaign("c")] == ["c2.invalid"]
    assert knowledge.of_campaign("other") == ()
    assert known(actors__a=ACTOR).called("nobody / alpha (beta)")[0].id == "a"


@pytest.mark.parametrize(
    ("file", "data", "told"),
    [
        ("actors__a", ACTOR + b"colour = 1\n", "colour"),
        ("actors__a", b"name = ", "actors/a.toml"),
        ("actors__a", b"\xff", "actors/a.toml"),
        ("actors__a", b"#" * (MAX_FILE + 1), "larger"),
        ("campaigns__c", CAMPAIGN.replace(b'confidence = "low"', b'confidence = "sure"'), "sure"),
        ("campaigns__c", CAMPAIGN.replace(b'source = "S"', b'source = "T"'), "no source T"),
        ("campaigns__c", CAMPAIGN.replace(b'["S"]', b"[]"), "names no source"),
        ("campaigns__c", CAMPAIGN.replace(b'"block"', b'"destroy"'), "destroy"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(file: str, data: bytes, told: str) -> None:
    """Nothing is left out in silence: what is not understood is told, with the file."""
    with pytest.raises(KnowledgeError, match=re.escape(told)):
        known(**{file: data})


def test_every_defect_is_told() -> None:
    """Two broken files are two lines."""
    with pytest.raises(KnowledgeError) as caught:
        known(actors__a=b"x", campaigns__c=b"y")

    assert len([line for line in str(caught.value).splitlines() if line.startswith(("actors", "campaigns"))]) == 2


def test_a_campaign_can_be_left_out_and_knowledge_joined() -> None:
    """Without a campaign nothing of it is left; of two things with one id that stays which was here."""
    whole = known(actors__a=ACTOR, campaigns__c=CAMPAIGN)
    other = known(campaigns__c=CAMPAIGN.replace(b'"C"', b'"D"'), campaigns__d=CAMPAIGN)
    joined = whole.joined(other)

    assert (whole.without("c").campaigns, whole.without("c").indicators) == ((), ())
    assert [(one.id, one.name) for one in joined.campaigns] == [("c", "C"), ("d", "C")]
    assert [one.campaign for one in joined.indicators] == ["c", "d"]
