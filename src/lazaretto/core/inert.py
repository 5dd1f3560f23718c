"""Hostile text is inert in every output: what a terminal, a renderer or a log would act on is spelled out."""


def inert(text: str, limit: int | None = None) -> str:
    r"""Return ``text`` on one line with everything unprintable as ``\u{…}``, cut to ``limit`` characters.

    Control characters (ANSI escapes, carriage return, NUL), bidirectional and zero-width characters,
    tag characters, private use, surrogates and line separators are all unprintable to
    ``str.isprintable``, which follows the Unicode categories *Other* and *Separator* (but space).
    """
    if limit is not None and len(text) > limit:
        text = text[: max(0, limit - 1)] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\\n" if c == "\n" else f"\\u{{{ord(c):x}}}" for c in text)
