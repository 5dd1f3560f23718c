"""CSV: one indicator in each row, with its use; the first of its sources stands for all. No cell is a formula."""

from lazaretto.core.exchange import Collection
from lazaretto.core.intel import Source
from lazaretto.outputs._quote import row
from lazaretto.sharing._rows import COLUMNS, fields

MEDIA_TYPE = "text/csv"
SUMMARY = "every indicator with its use, as CSV"

_OF_SOURCE = ("source", "source_url", "published", "licence")


def render(collection: Collection) -> str:
    """Return a table with a header."""
    lines = [row((*COLUMNS, *_OF_SOURCE))]
    for one in collection.indicators:
        source = next(iter(one.sources), Source(""))
        published = source.published.isoformat() if source.published else ""
        lines.append(row([*map(str, fields(one).values()), source.name, source.url, published, source.licence]))
    return "".join(lines)
