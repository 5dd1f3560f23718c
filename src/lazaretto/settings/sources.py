"""The lists of ``[firewall]``: the registries that are asked, the advisories that are heard, whose tokens are taken."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from lazaretto.core.access import Passing
from lazaretto.core.identity_token import Algorithm, Issuer
from lazaretto.settings.parts import one_of, table_of, tables_of, text_of, texts_of

_ECOSYSTEMS = ("npm", "pypi")
_OF_UPSTREAM = {"ecosystem", "url", "scopes", "priority", "token_env", "publish", "login"}
_OF_ISSUER = {"name", "url", "audience", "claims", "algorithms", "group", "keys"}
_OF_ADVISORY = ("name", "place", "feed", "token_env")


class UpstreamSetting(Struct, frozen=True):
    """A registry to ask. ``scopes`` are patterns of the names that are asked for here and nowhere else.

    Of several that fit, that of the lowest ``priority`` is asked first. ``token_env`` names the environment variable
    that holds a bearer token for it. ``publish`` and ``login`` say what becomes of a client that wants to do so here.
    """

    ecosystem: str
    url: str
    scopes: tuple[str, ...] = ()
    priority: int = 0
    token_env: str = ""
    publish: Passing = Passing.REFUSE
    login: Passing = Passing.REFUSE


class AdvisorySetting(Struct, frozen=True):
    """A source of advisories: a file or an address, and the feed that reads it. ``token_env`` as of a registry."""

    name: str
    place: str
    feed: str = "osv"
    token_env: str = ""


def upstreams(table: Mapping[str, object], problems: list[str]) -> tuple[UpstreamSetting, ...]:
    """Return the registries that the table ``[firewall]`` names."""
    found = []
    for place, item in tables_of(table, "upstream", "firewall.", _OF_UPSTREAM, problems):
        if item.get("ecosystem") not in _ECOSYSTEMS:
            problems.append(f"{place}ecosystem: must be npm or pypi")
        url = text_of(item, "url", place, problems)
        if not url.startswith(("http://", "https://")):
            problems.append(f"{place}url: must begin with http:// or https://")
        priority = item.get("priority", 0)
        if not isinstance(priority, int) or isinstance(priority, bool):
            problems.append(f"{place}priority: must be a whole number")
            priority = 0
        made = UpstreamSetting(
            ecosystem=str(item.get("ecosystem")),
            url=url,
            scopes=texts_of(item, "scopes", place, problems),
            priority=priority,
            token_env=text_of(item, "token_env", place, problems),
            publish=one_of(item, "publish", Passing, place, problems) or Passing.REFUSE,
            login=one_of(item, "login", Passing, place, problems) or Passing.REFUSE,
        )
        problems.extend(f"{place}{problem}" for problem in _writing(made))
        found.append(made)
    own = [one for one in found if Passing.THROUGH in (one.publish, one.login)]
    if len(own) > 1:
        # A client has one credential for the firewall's address: it would be shown to both.
        problems.append("firewall.upstream: only one may have publish or login = pass: what a client shows is for one")
    return tuple(found)


def advisories(table: Mapping[str, object], problems: list[str]) -> tuple[AdvisorySetting, ...]:
    """Return the sources of advisories that the table ``[firewall]`` names."""
    found: list[AdvisorySetting] = []
    for place, item in tables_of(table, "advisories", "firewall.", set(_OF_ADVISORY), problems):
        texts = {key: text_of(item, key, place, problems) for key in _OF_ADVISORY}
        problems.extend(f"{place}{key}: is missing" for key in ("name", "place") if not texts[key])
        if texts["name"] in {one.name for one in found}:
            problems.append(f"{place}name: another source has the same")
        texts["feed"] = texts["feed"] or "osv"
        found.append(AdvisorySetting(**texts))
    return tuple(found)


def issuers(table: Mapping[str, object], problems: list[str]) -> tuple[Issuer, ...]:
    """Return the issuers whose tokens are taken for reading."""
    found: list[Issuer] = []
    for place, item in tables_of(table, "issuer", "firewall.", _OF_ISSUER, problems):
        texts = {key: text_of(item, key, place, problems) for key in ("name", "url", "audience", "group", "keys")}
        problems.extend(f"{place}{key}: is missing" for key in ("name", "url", "audience") if not texts[key])
        problems.extend(
            f"{place}{key}: must begin with https:// (or be on this machine)"
            for key in ("url", "keys")
            if texts[key] and not _private(texts[key])
        )
        if any(texts["name"] == one.name or texts["url"] == one.url for one in found):
            problems.append(f"{place}name, url: another issuer has the same")
        claims = table_of(item, "claims", problems, place)
        asked = {key: texts_of(claims, key, f"{place}claims.", problems) for key in claims}
        if not asked or not all(asked.values()):
            # An issuer that anybody may ask writes tokens for anybody: signature and audience alone say nothing.
            problems.append(f"{place}claims: must name at least one claim, each with the patterns that fit")
        names = texts_of(item, "algorithms", place, problems) or (Algorithm.RS256.value,)
        known = {one.value: one for one in Algorithm}
        problems.extend(
            f"{place}algorithms: {one!r} is none of {', '.join(known)}" for one in names if one not in known
        )
        algorithms = tuple(known[one] for one in names if one in known)
        fields = (texts["name"], texts["url"], texts["audience"], asked, algorithms)
        found.append(Issuer(*fields, group=texts["group"] or None, keys=texts["keys"]))
    return tuple(found)


def _private(address: str) -> bool:
    """Whether what is read there cannot be changed on its way."""
    host = address.partition("://")[2].partition("/")[0].rpartition(":")[0]
    return address.startswith("https://") or (address.startswith("http://") and host in ("127.0.0.1", "localhost"))


def _writing(one: UpstreamSetting) -> Iterator[str]:
    """Yield what is wrong with what an upstream says of publishing and logging in."""
    if one.ecosystem != "npm" and (one.publish, one.login) != (Passing.REFUSE, Passing.REFUSE):
        yield "publish, login: only npm's are passed on"
    if one.login is Passing.REPLACE:
        yield "login: must be refuse or pass"
    if one.publish is Passing.REPLACE and not one.token_env:
        yield "publish: replace needs token_env, the token that takes the place of the client's"
