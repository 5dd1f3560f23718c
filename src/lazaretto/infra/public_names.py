"""Whether a name is taken on the public registry: the one that a client asks where nobody configured another."""

from collections.abc import Callable, Mapping
from pathlib import Path

from lazaretto.app.ports import NotFound, Unavailable, Upstream
from lazaretto.core.names import ProjectName
from lazaretto.core.posture import PrivateName
from lazaretto.infra.client_config import load_npm
from lazaretto.infra.pipdefault import default_index
from lazaretto.infra.upstreams import named


class PublicNames:
    """Asks the public registries, each made when it is first needed. No token is sent.

    ``normal`` gives the normal form of a name in an ecosystem, and raises ValueError.
    """

    def __init__(
        self, env: Mapping[str, str], folder: Path, cache_dir: Path, normal: Callable[[str, str], ProjectName]
    ) -> None:
        self._env = env
        self._folder = folder
        self._cache_dir = cache_dir
        self._normal = normal
        self._registries: dict[str, Upstream] = {}

    def has(self, name: PrivateName) -> bool:
        """Whether anybody has published under a name. Raises PortError."""
        try:
            normal = self._normal(name.ecosystem, name.name)
        except ValueError:
            return False
        try:
            self._registry(name.ecosystem).page(normal)
        except NotFound:
            return False
        return True

    def _registry(self, ecosystem: str) -> Upstream:
        if ecosystem not in self._registries:
            address = load_npm(self._env, self._folder).default if ecosystem == "npm" else default_index(self._env)
            if address is None:
                raise Unavailable(f"the public registry of {ecosystem} is not known: install its client")
            self._registries[ecosystem] = named(ecosystem, address, "", self._cache_dir, self._env)
        return self._registries[ecosystem]
