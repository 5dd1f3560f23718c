"""Logs of servers that stand before a registry: nginx, Apache, Verdaccio, Nexus, Artifactory.

Of nginx and Apache the common and the combined format, of Verdaccio the pretty one and JSON, of Nexus and Artifactory
the request log.

Each archive that was asked for counts: handed out (2xx, 304), or refused. Whoever asked is told as the log names it.

Not seen: which of the clients behind one address it was; whether what was handed out was installed.
"""

import re
from collections.abc import Iterator

from lazaretto.app.inventory.ports import Claim, Disk, Folder, Readers
from lazaretto.core.inventory import Entry, Place, Proof, Sign, Unread
from lazaretto.places import _server_lines, _urls

KIND = "proxy-log"
OWNS = ()
READS = ("*.log", "*request.log*", "*.log.*", "*access[._-]log*", "*accesslog*", "verdaccio*")

MAX_CLIENT = 120
"""Longest name of a client that is kept, in characters."""

_NAMES = re.compile(r"(?i).*\.log(?:\.\d{1,4})?(?:\.gz)?|access[._-]?log.*|verdaccio.*")


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield every log of a server, by its name and its first lines."""
    for name in folder.files:
        target = f"{folder.path}/{name}"
        named = folder.named and readers.lockfiles.of(name) is None
        stat = disk.stat(target) if named or _NAMES.fullmatch(name) else None
        if stat is not None and _server_lines.recognised(target, disk):
            yield Claim(Place(KIND, f"{folder.shown}/{name}"), target, stat.stamp)


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield every archive that was asked for; how many lines were not understood is told in a sum."""
    del readers
    number, strange, first_strange = 0, 0, 0
    for line, raw in enumerate(disk.lines(claim.target, _server_lines.MAX_LINE), 1):
        asked = _server_lines.asked(raw)
        if asked is None:
            if raw.strip() and (b".tgz" in raw or b".whl" in raw or b".tar.gz" in raw):
                strange, first_strange = strange + 1, first_strange or line
            continue
        at, client, url, status = asked
        named = _urls.archive(url)
        if named is None:
            continue
        taken = 200 <= status < 300 or status == 304
        signs = Sign.NONE if taken else Sign.REFUSED
        note = f"asked for by {client[:MAX_CLIENT]}, answered with {status}"
        yield Entry(*named, Proof.SERVED, number, line=line, first=at, last=at, signs=signs, note=note)
        number += 1
    if strange:
        yield Unread(first_strange, f"{strange} lines name an archive and are of no known format")
