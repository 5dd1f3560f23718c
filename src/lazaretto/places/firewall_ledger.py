"""The ledger of a Lazaretto firewall: which artifact was handed out, to whom, when."""

from collections.abc import Iterator

from lazaretto.app.inventory.ports import Claim, Disk, Folder, Readers
from lazaretto.core.inventory import Entry, Place, Proof, Sign, Unread

KIND = "firewall"
OWNS = ()
READS = ()

MAX_CLIENT = 120
"""Longest name of a client that is kept, in characters."""


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield the ledger in a folder; a database that is being written is always read anew."""
    del disk, readers
    if "ledger.sqlite" in folder.files:
        yield Claim(Place(KIND, f"{folder.shown}/ledger.sqlite"), f"{folder.path}/ledger.sqlite", whole=True)


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield every artifact that was handed out."""
    del readers
    from packageurl import PackageURL

    for number, one in enumerate(disk.served(claim.target)):
        try:
            purl = PackageURL.from_string(one.purl)
        except ValueError:
            yield Unread(0, f"row {number + 1}: {one.purl[:80]!r} is no package URL")
            continue
        name = "/".join(filter(None, (purl.namespace, purl.name)))
        told = f"handed out to {one.client[:MAX_CLIENT] or 'an unknown client'}, the verdict was {one.outcome}"
        yield Entry(
            purl.type,
            name,
            purl.version or "",
            Proof.SERVED,
            number,
            first=one.at,
            last=one.at,
            signs=Sign.NONE,
            note=told,
        )
