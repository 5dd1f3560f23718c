"""Patterns of brackets within brackets, for the languages of script hosts."""


def brackets(text: str, levels: int) -> str:
    """Return the pattern of brackets that hold texts (each matched by ``text``) and, so many levels deep, brackets."""
    inside = rf'[^()"\n]++|{text}'
    for _ in range(levels):
        inside = rf'[^()"\n]++|{text}|\((?:{inside})*+\)'
    return rf"\((?:{inside})*+\)"
