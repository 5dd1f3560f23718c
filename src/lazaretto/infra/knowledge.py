"""The knowledge that ships with the package: read from its files when somebody asks, never on the way to a verdict."""

from functools import cache
from pathlib import Path

from lazaretto._plugins import PluginError
from lazaretto.core.attribution import Scale
from lazaretto.core.knowledge import Knowledge, KnowledgeError, decode

FOLDER = Path(__file__).parent.parent / "data" / "knowledge"


@cache
def shipped() -> Knowledge:
    """Return all that ships. Raises PluginError if it is broken: the installation is."""
    try:
        return decode((path.relative_to(FOLDER).as_posix(), path.read_bytes()) for path in FOLDER.rglob("*.toml"))
    except (KnowledgeError, OSError) as error:
        raise PluginError(f"the knowledge that ships is broken: {error}") from error


@cache
def scale() -> Scale:
    """Return how evidence is weighed. Raises PluginError if the table is broken."""
    import msgspec

    try:
        return msgspec.json.decode((FOLDER.parent / "attribution.json").read_bytes(), type=Scale)
    except (msgspec.MsgspecError, OSError) as error:
        raise PluginError(f"the table of attribution is broken: {error}") from error
