"""What may be seen of an index page, as a value: whoever prints a page decides nothing."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from lazaretto.core.names import Version


class PageView(Struct, frozen=True):
    """These artifacts (file name -> version) and nothing else, each at its address.

    What is shown is named, and not what is hidden: what a view forgets does not exist. ``address`` gives the URL of a
    file name. ``tags`` is where the tags point; None leaves them as they are, without those whose version is not shown.
    """

    shown: Mapping[str, Version]
    address: Callable[[str], str]
    tags: Mapping[str, Version] | None = None
