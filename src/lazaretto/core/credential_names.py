"""What kind of credential a variable of some name holds, as far as names tell."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from lazaretto.core.playbook import CredentialKind

OTHER = "secret of an application"


def kind_of(name: str, table: Sequence[CredentialKind]) -> str:
    """Return the first kind of which a pattern fits the name, whatever its case; otherwise an application's."""
    upper = name.upper()
    return next((one.kind for one in table if any(fnmatchcase(upper, pattern) for pattern in one.names)), OTHER)
