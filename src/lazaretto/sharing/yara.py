"""A YARA rule for files: what only a payload carries, and its digests. From what is to be blocked.

A host is looked for as text, so that only what is long enough is: a short one stands in innocent files. A file that
*lists* what is bad, such as this very export, matches too; so does every document about the attack.
"""

from collections.abc import Iterator

from lazaretto.core.exchange import Collection
from lazaretto.core.inert import inert
from lazaretto.core.intel import Indicator, IndicatorKind
from lazaretto.core.values import blockable
from lazaretto.outputs._quote import yara_text

MEDIA_TYPE = "text/plain"
SUMMARY = "a YARA rule for files"

MIN_LENGTH = 8
MAX_LENGTH = 512
_TEXTS = (
    IndicatorKind.DOMAIN,
    IndicatorKind.URL,
    IndicatorKind.EMAIL,
    IndicatorKind.STRING,
    IndicatorKind.MUTEX,
    IndicatorKind.HTTP_BODY,
    IndicatorKind.WALLET,
)
_DIGESTS = {IndicatorKind.SHA256: "sha256", IndicatorKind.SHA1: "sha1", IndicatorKind.MD5: "md5"}


def render(collection: Collection) -> str:
    """Return one rule; one that matches nothing where there is nothing to look for."""
    found = list(blockable(collection))
    texts = [one for one in found if one.kind in _TEXTS and MIN_LENGTH <= len(one.value) <= MAX_LENGTH]
    digests = [f'hash.{_DIGESTS[one.kind]}(0, filesize) == "{one.value.lower()}"' for one in found if _digest(one)]
    conditions = (["any of them"] if texts else []) + digests
    lines = [
        f"// {inert(collection.product)}: {collection.at:%Y-%m-%dT%H:%M:%SZ}",
        *(['import "hash"', ""] if digests else [""]),
        "rule lazaretto_indicators {",
        "  meta:",
        f"    product = {yara_text(collection.product)}",
        f'    date = "{collection.at:%Y-%m-%d}"',
        *_strings(texts),
        "  condition:",
        f"    {(chr(10) + '    or ').join(conditions) or 'false'}",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _strings(texts: list[Indicator]) -> Iterator[str]:
    if texts:
        yield "  strings:"
    for number, one in enumerate(texts):
        yield f"    $s{number} = {yara_text(one.value)} ascii wide nocase"


def _digest(one: Indicator) -> bool:
    return one.kind in _DIGESTS and one.value.isalnum() and one.value.isascii()
