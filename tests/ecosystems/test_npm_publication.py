"""What ``npm publish`` sends: one new version under the name in its address, written anew; anything else is refused."""

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from lazaretto.core.names import ProjectName
from lazaretto.ecosystems.npm.publication import publication

NAME = ProjectName("@team/tool")
REGISTRY = "https://registry.example.invalid/npm/"
TARBALL = b"the bytes of a tarball"


def document(**changes: Any) -> dict[str, Any]:
    """Return what npm sends for one version, with changes."""
    manifest = {"name": NAME, "version": "1.2.0", "dist": {"tarball": "http://localhost:8790/x.tgz", "shasum": "00"}}
    sent = {
        "_id": NAME,
        "name": NAME,
        "dist-tags": {"latest": "1.2.0"},
        "versions": {"1.2.0": manifest},
        "access": "public",
        "_attachments": {f"{NAME}-1.2.0.tgz": {"data": b64encode(TARBALL).decode(), "length": len(TARBALL)}},
    }
    return {**sent, **changes}


def test_one_new_version_is_written_for_its_registry() -> None:
    """Everything arrives as it was sent, but for the address of the tarball, which is the registry's and not ours."""
    sent = document()
    found = publication(NAME, json.dumps(sent).encode(), REGISTRY)
    sent["versions"]["1.2.0"]["dist"]["tarball"] = f"{REGISTRY}{NAME}/-/tool-1.2.0.tgz"

    assert (found.version, found.path) == ("1.2.0", "@team%2ftool")
    assert found.digest == f"sha256:{sha256(TARBALL).hexdigest()}"
    assert json.loads(found.body) == sent


def test_of_a_key_that_occurs_twice_one_is_sent() -> None:
    """No registry can take another value for the name than the one that was compared."""
    twice = json.dumps(document()).replace('"name": "@team/tool"', '"name": "lodash", "name": "@team/tool"', 1)

    assert b"lodash" not in publication(NAME, twice.encode(), REGISTRY).body


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "lodash"}, "the name of what is to be published is not @team/tool"),
        ({"_id": "lodash"}, "the _id of what"),
        ({"versions": {}}, "only one new version"),
        ({"versions": {"1.0.0": {}, "1.1.0": {}}}, "only one new version"),
        ({"_attachments": {}}, "only one new version"),
        ({"_attachments": {"a.tgz": {"data": ""}, "b.tgz": {"data": ""}}}, "only one new version"),
        ({"versions": {"1.2.0": {"name": "lodash", "version": "1.2.0"}}}, "the name in the manifest"),
        ({"versions": {"1.2.0": {"name": NAME, "version": "9.0.0"}}}, "the version in the manifest"),
        ({"versions": {"x": {"name": NAME, "version": "x"}}}, "x"),
        ({"_attachments": {"a.tgz": {"data": "%%%"}}}, "base64"),
        ({"_attachments": {"a.tgz": {"data": 7}}}, "cannot be read"),
        ({"versions": []}, "cannot be read"),
    ],
)
def test_anything_else_is_no_publication(changes: dict[str, Any], problem: str) -> None:
    """Another name inside than outside, several versions or none, no tarball: refused, with the reason."""
    with pytest.raises(ValueError, match=problem):
        publication(NAME, json.dumps(document(**changes)).encode(), REGISTRY)


def test_what_is_no_json_is_no_publication() -> None:
    """Whatever is sent."""
    for data in (b"", b"{", b"[]", b"\xff", b'{"_id": "\\ud800"}'):
        with pytest.raises(ValueError, match=r"cannot be read|not @team/tool"):
            publication(NAME, data, REGISTRY)
