"""The configuration of the user's own clients: where we ask is where they would install from."""

from lazaretto.infra.npmrc import NpmConfig
from lazaretto.infra.npmrc import load as load_npm
from lazaretto.infra.pipconf import Index, PipConfig
from lazaretto.infra.pipconf import load as load_pip

__all__ = ["Index", "NpmConfig", "PipConfig", "load_npm", "load_pip"]
