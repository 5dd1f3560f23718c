"""Upstreams that live as long as the tests of this folder, with a few small packages."""

from collections.abc import Iterator

import pytest

from tests.clients import packages
from tests.clients.upstreams import devpi, pypiserver, verdaccio

TOOL = "@team/tool"

NPM = (
    [packages.npm("pad", version, dependencies={TOOL: "^1.0.0"}) for version in ("1.0.0", "1.0.1")],
    [packages.npm(TOOL, "1.0.0")],
)
PYPI = (
    packages.wheel("my-pad", "1.0"),
    packages.sdist("my-pad", "1.0"),
    packages.wheel("my-pad", "1.1", ["other-pad>=1"]),
    packages.sdist("other-pad", "1.0"),
)


@pytest.fixture(scope="session")
def npm_upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a Verdaccio."""
    with verdaccio(tmp_path_factory.mktemp("verdaccio"), NPM) as url:
        yield url


@pytest.fixture(scope="session")
def pypi_upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a pypiserver."""
    with pypiserver(tmp_path_factory.mktemp("pypiserver"), PYPI) as url:
        yield url


@pytest.fixture(scope="session")
def devpi_upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of an index of a devpi."""
    with devpi(tmp_path_factory.mktemp("devpi"), PYPI) as url:
        yield url
