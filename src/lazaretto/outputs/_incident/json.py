"""The whole answer, for programs. Its schema is ``data/response.schema.json``."""

from lazaretto.app.rendering import Format, RenderOptions, encodable
from lazaretto.app.respond.response import Response
from lazaretto.outputs._ascii import document

FORMAT = Format(name="json", media_type="application/json")


def render(response: Response, options: RenderOptions) -> str:
    """Return the answer as JSON."""
    del options
    return document(encodable(response))
