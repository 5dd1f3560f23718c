"""The incident as a STIX 2.1 bundle, for those with whom it is shared. It is marked TLP:AMBER+STRICT: it names places.

STIX 2.1 has an incident with a name and a description alone; who took the release, and what is not known, are notes on
it, what is done are courses of action. The campaign is named by the identifier under which our own export has it.
"""

from collections.abc import Iterator

from lazaretto.app.rendering import Format, RenderOptions
from lazaretto.app.respond.response import Response, Task
from lazaretto.core.inert import inert
from lazaretto.core.intel import Tlp
from lazaretto.outputs import _stix
from lazaretto.outputs._ascii import document
from lazaretto.outputs._incident._words import PHASES, how_taken, times
from lazaretto.outputs._stix import Json

FORMAT = Format(name="stix", media_type="application/stix+json")

_TLP = Tlp.AMBER_STRICT
_MAX = 100_000


def render(response: Response, options: RenderOptions) -> str:
    """Return the bundle. The same incident gives the same bytes."""
    del options
    return document(_stix.bundle(_objects(response)))


def _objects(response: Response) -> Iterator[Json]:
    incident = _common(response, "incident")
    lines = [*response.summary, f"releases: {', '.join(response.releases)}"]
    incident |= {"name": _text(f"{response.name}: {response.title}"), "description": _text("; ".join(lines))}
    yield _stix.maker(response.product)
    yield _stix.marking(_TLP)
    yield incident
    if response.campaign:
        yield _relation(response, incident, "related-to", _stix.identifier("campaign", response.campaign))
    taken = [
        "; ".join(
            filter(None, (str(one.place), f"{one.name}@{one.version}", times(one), f"ran: {one.ran}", how_taken(one)))
        )
        for one in (seen.exposure for seen in response.exposures)
    ]
    for abstract, texts in (("who took it", taken), ("still unknown", list(response.unknown))):
        if texts:
            note = _common(response, "note", abstract)
            content = _text("\n".join(inert(text) for text in texts), lines=True)
            yield note | {"abstract": abstract, "content": content, "object_refs": [incident["id"]]}
    for task in response.tasks:
        course = _course(response, task)
        yield course
        yield _relation(response, course, "related-to", str(incident["id"]))


def _course(response: Response, task: Task) -> Json:
    state = f"done: {task.done}" if task.done else "open"
    parts = (PHASES[task.phase], task.why, *task.how, *(f"$ {command}" for command in task.commands), state)
    made = _common(response, "course-of-action", task.id)
    return made | {"name": _text(task.title), "description": _text("; ".join(filter(None, parts)))}


def _relation(response: Response, source: Json, verb: str, target: str) -> Json:
    made = _common(response, "relationship", str(source["id"]), verb, target)
    return made | {"relationship_type": verb, "source_ref": source["id"], "target_ref": target}


def _common(response: Response, kind: str, *key: str) -> Json:
    """Return what every object has; it was changed when the incident was last looked at or closed."""
    changed = response.closed.at if response.closed else response.looked
    return _stix.common(kind, response.opened, changed, _TLP, response.name, response.opened.isoformat(), *key)


def _text(text: str, *, lines: bool = False) -> str:
    """Return text that steers nothing; an empty one is none in STIX."""
    parts = [inert(part) for part in text.split("\n")] if lines else [inert(text)]
    return "\n".join(parts)[:_MAX] or "-"
