"""One look at a machine: every client that is used, the secrets that lie about, and ourselves."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from lazaretto.app.doctor import ours as ourselves
from lazaretto.app.doctor.client import ClientModule, used
from lazaretto.app.doctor.machine import Machine, Public, Token
from lazaretto.app.doctor.ours import Ourselves
from lazaretto.app.ports import PortError
from lazaretto.app.report import EXIT_ALLOW, EXIT_INCOMPLETE, EXIT_REFUSED
from lazaretto.core.posture import SCHEMA, Advice, Place, Posture, PrivateName, Severity, Standing

MAX_LOOKED_UP = 50
"""Most names that one look asks a public registry for."""

_ORDER = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2}
_WORM_FUEL = frozenset({"npm token", "PyPI token"})
_MAX_PLACES = 20


def examine(
    machine: Machine,
    clients: Iterable[ClientModule],
    ours: Ourselves,
    now: datetime,
    product: str,
    public: Public | None = None,
) -> Posture:
    """Return the posture. ``public`` is asked for private names, where the user allows it; else nobody is."""
    advice: list[Advice] = []
    standing: list[Standing] = []
    names: set[PrivateName] = set()
    here = [module for module in clients if used(module.CLIENT, machine)]
    for module in here:
        found = list(module.examine(machine))
        blind = not machine.unread().keys().isdisjoint(module.CLIENT.files)
        # What was not read cannot be said to be missing: such advice has no place.
        advice += [one for one in found if isinstance(one, Advice) and (one.places or not blind)]
        standing += [one for one in found if isinstance(one, Standing)]
        names.update(one for one in found if isinstance(one, PrivateName))
    subjects = frozenset(module.CLIENT.id for module in here)
    unasked: list[str] = []
    said = [
        *_secrets(machine.tokens()),
        *_names(sorted(names), public, unasked),
        *ourselves.examine(machine, ours, subjects, now),
    ]
    advice += [one for one in said if isinstance(one, Advice)]
    standing += [one for one in said if isinstance(one, Standing)]
    advice.sort(key=lambda one: (_ORDER[one.severity], one.subject, one.id, one.places))
    return Posture(
        schema=SCHEMA,
        product=product,
        advice=tuple(advice),
        standing=tuple(standing),
        unread=(*(f"{path} {why}" for path, why in machine.unread().items()), *unasked),
        subjects=tuple(sorted(subjects)),
    )


def exit_code(posture: Posture) -> int:
    """Return 1 if there is something to do, 3 if something could not be looked at, else 0."""
    if posture.advice:
        return EXIT_REFUSED
    return EXIT_INCOMPLETE if posture.unread else EXIT_ALLOW


def _secrets(tokens: Iterable[Token]) -> Iterator[Advice]:
    """Yield one piece of advice for each kind of secret and each sort of place: never a value."""
    groups: dict[tuple[str, str, bool], list[Place]] = {}
    for token in tokens:
        sort = "home" if token.place.path.startswith(("~/", "/")) else "project" if token.place.line else "environment"
        groups.setdefault((sort, token.kind, token.shared), []).append(token.place)
    for (sort, kind, shared), places in groups.items():
        count = f"{kind} in {len(places)} places" if len(places) > 1 else kind
        yield _secret(sort, count, kind, tuple(places[:_MAX_PLACES]), shared=shared)


def _secret(sort: str, count: str, kind: str, places: tuple[Place, ...], *, shared: bool) -> Advice:
    if shared:
        message = f"{count}: others on this machine may read it"
        return Advice("secret-shared", "secrets", Severity.HIGH, message, f"chmod 600 {places[0].path}", places)
    if sort == "project":
        message = f"{count} in a file of the project: it is copied, committed and published with it"
        remedy = "revoke it, and refer to a variable instead (${NAME})"
        return Advice("secret-in-project", "secrets", Severity.HIGH, message, remedy, places)
    if sort == "environment":
        message = f"{count}: every script of a package that is installed from this shell can read it"
        remedy = "set it for the one command that needs it, not for the shell"
        return Advice("secret-in-environment", "secrets", Severity.LOW, message, remedy, places)
    if kind in _WORM_FUEL:
        message = f"{count} in the home: a worm publishes with it in your name"
        remedy = "publish from CI by trusted publishing, and revoke it; to read, use a token that can only read"
        return Advice("secret-publishing", "secrets", Severity.MEDIUM, message, remedy, places)
    message = f"{count} in the home: any code that runs as you can read it"
    remedy = "keep it in the keychain of the system or use short-lived credentials"
    return Advice("secret-in-home", "secrets", Severity.LOW, message, remedy, places)


def _names(names: list[PrivateName], public: Public | None, unasked: list[str]) -> Iterator[Advice | Standing]:
    if names and public is None:
        told = ", ".join(one.name for one in names[:5])
        yield Standing("names", f"not looked up on the public registry: {told} (--online asks it)")
        return
    for one in names[:MAX_LOOKED_UP] if public is not None else ():
        try:
            taken = public.has(one) if public is not None else False
        except PortError as error:
            unasked.append(f"{one.ecosystem} {one.name} could not be looked up: {error}")
            continue
        if taken:
            message = f"{one.name} exists on the public registry: if that is not yours, it can be installed instead"
            remedy = "look who publishes it there, and bind the name to your registry (see above)"
            yield Advice("name-taken", "names", Severity.HIGH, message, remedy)
        else:
            message = f"{one.name} is free on the public registry: whoever claims it can be installed instead"
            remedy = "claim it (or its scope) there, and bind the name to your registry (see above)"
            yield Advice("name-free", "names", Severity.MEDIUM, message, remedy)
    if len(names) > MAX_LOOKED_UP:
        unasked.append(f"{len(names) - MAX_LOOKED_UP} more private names were not looked up")
