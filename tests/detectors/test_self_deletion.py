"""Files that remove or replace themselves."""

import pytest

from lazaretto.core.facts import Kind, Reach
from lazaretto.detectors.self_deletion import detect
from tests.detectors.updates import fact, update, view

INSTALLED = {"setup.js": Reach.INSTALL}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.FS_SELF_DELETE, None),
        (Kind.FS_DELETE, "__filename"),
        (Kind.FS_DELETE, "__dirname/package.json"),
        (Kind.FS_WRITE, "__dirname/package.json"),
    ],
)
def test_its_own_files(kind: Kind, value: str | None) -> None:
    """The names that code has for its own file and manifest tell, at first contact too."""
    after = view({"setup.js": "x"}, {"setup.js": [fact(kind, value)]}, INSTALLED)

    assert [f.variant for f in detect(update(None, after))] == ["autorun"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.FS_DELETE, "build"),
        (Kind.FS_WRITE, "__dirname/cache.json"),
        (Kind.FS_WRITE, "package.json"),
        (Kind.FS_DELETE, None),
    ],
)
def test_other_files(kind: Kind, value: str | None) -> None:
    """What a tool writes for its user, and what cannot be known, is not its own."""
    after = view({"setup.js": "x"}, {"setup.js": [fact(kind, value)]}, INSTALLED)

    assert list(detect(update(None, after))) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package-lock.json", '{"name": "example-package", "version": "1.0.0"}'),
        ("package.md", '{"name": "another", "version": "1.0.0"}'),
        ("package.md", '{"name": "example-package", "version": "1.0.1"}'),
        ("package.md", '{"name": 1, "version": "1.0.0"}'),
        ("package.md", "{ not json"),
        ("lib/package.md", '{"name": "example-package", "version": "1.0.0"}'),
    ],
)
def test_what_is_no_second_manifest(path: str, text: str) -> None:
    """Lock files, other packages, the same version, broken text and sub-folders are left alone."""
    assert list(detect(update(None, view({path: text})))) == []
