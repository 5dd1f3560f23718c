"""Counts in the shipped table: written into the rows of first contact, and nothing else is touched."""

import json

from evals.corpora.figures import Case, Rate
from evals.corpora.items import Form, Item, Label, Part, Ref
from evals.corpora.judge import Judged
from evals.corpora.ship import counted, shipped

TABLE = """{
  "date": "2026-01-01",
  "weights": {
    "acts-at-first-contact/a": {"weight": 20, "group": "first-contact", "counts": null},
    "pad-added/autorun": {"weight": 2.5, "group": "pad", "counts": null},
    "pad-added/first-contact": {"weight": 3, "group": "pad", "counts": {"malicious": 9, "of malicious": 9}}
  }
}
"""


def test_rows_of_first_contact_get_their_counts() -> None:
    """Others keep what they have, and every weight stays."""
    table = json.loads(shipped(TABLE, {"acts-at-first-contact/a": Rate(7, 10)}, {}, 10, 20, "2026-02-03"))

    rows = table["weights"]
    assert table["date"] == "2026-02-03"
    assert [row["weight"] for row in rows.values()] == [20, 2.5, 3]
    assert rows["acts-at-first-contact/a"]["counts"] == {
        "malicious": 7,
        "of malicious": 10,
        "benign": 0,
        "of benign": 20,
    }
    assert rows["pad-added/first-contact"]["counts"]["malicious"] == 0
    assert rows["pad-added/autorun"]["counts"] is None


def test_clones_and_first_contacts_are_counted_once() -> None:
    """Clusters on one side; on the other the newest release of each project."""

    def case(corpus: str, key: str, cluster: str, label: Label) -> Case:
        item = Item(corpus, key, label, "npm", Ref("", Form.ARCHIVE, (Part("a.tgz", "/a"),)))
        return Case(item, Judged(key, "hold", 20.0, ("acts-at-first-contact/a",)), cluster, 1)

    found = [
        case("c", "a", "x", Label.MALICIOUS),
        case("c", "b", "x", Label.MALICIOUS),
        case("newest", "n", "n", Label.BENIGN),
        case("malcontent-samples", "m", "m", Label.BENIGN),
    ]

    bad, good, clusters, benign = counted(found)

    assert (bad["acts-at-first-contact/a"].hits, clusters) == (1, 1)
    assert (good["acts-at-first-contact/a"].hits, benign) == (1, 1)
