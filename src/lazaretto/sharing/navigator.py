"""A layer of the ATT&CK Navigator (format 4.5): the techniques of campaigns and of those behind them, counted."""

from collections import Counter

from lazaretto.core.exchange import Collection
from lazaretto.outputs._ascii import document

MEDIA_TYPE = "application/json"
SUMMARY = "an ATT&CK Navigator layer of campaigns and actors"

ATTACK = "19"
"""The version of ATT&CK whose numbers we use (``data/attack.json``)."""


def render(collection: Collection) -> str:
    """Return a layer; how often a technique is told is its score."""
    told: Counter[str] = Counter()
    named: dict[str, list[str]] = {}
    known = [(one.name, one.techniques) for one in collection.campaigns]
    known += [(one.name, one.techniques) for one in collection.actors]
    for name, techniques in known:
        for technique in dict.fromkeys(techniques):
            told[technique] += 1
            named.setdefault(technique, []).append(name)
    layer = {
        "name": "Attacks on packages",
        "versions": {"attack": ATTACK, "navigator": "5.1.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": f"Passed on by {collection.product}",
        "techniques": [
            {"techniqueID": technique, "score": count, "comment": ", ".join(named[technique][:20]), "enabled": True}
            for technique, count in sorted(told.items())
        ],
        "gradient": {"colors": ["#ffffff", "#c0392b"], "minValue": 0, "maxValue": max(told.values(), default=1)},
    }
    return document(layer)
