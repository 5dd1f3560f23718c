"""JSON: every indicator whole, as we keep it; the form that loses nothing."""

from lazaretto.core.exchange import Collection
from lazaretto.outputs._ascii import document
from lazaretto.sharing._rows import fields

MEDIA_TYPE = "application/json"
SUMMARY = "every indicator whole, as JSON"


def render(collection: Collection) -> str:
    """Return an object with the list of indicators."""
    told = [{**fields(one), "sources": [_source(source) for source in one.sources]} for one in collection.indicators]
    listed = [{key: value for key, value in one.items() if value} for one in told]
    return document({"product": collection.product, "indicators": listed})


def _source(source: object) -> dict[str, str]:
    import msgspec

    told = msgspec.to_builtins(source)
    return {key: str(value) for key, value in told.items() if value}
