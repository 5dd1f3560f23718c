"""A MISP event: every indicator as an attribute, marked for detection only if it is to be blocked."""

from lazaretto.core.exchange import Collection
from lazaretto.outputs._ascii import document
from lazaretto.outputs._misp import attribute, event

MEDIA_TYPE = "application/json"
SUMMARY = "a MISP event"


def render(collection: Collection) -> str:
    """Return one event."""
    attributes = {str(made["uuid"]): made for made in map(attribute, collection.indicators)}
    names = dict.fromkeys(source.name for one in collection.indicators for source in one.sources)
    info = f"Indicators passed on by {collection.product}: {', '.join(list(names)[:5]) or 'none'}"
    return document(event(info, collection.at, list(attributes.values()), ()))
