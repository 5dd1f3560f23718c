"""How a text is written: obfuscation styles and text that a person does not see."""

from lazaretto.languages.javascript.record import Recorder


def mark(data: bytes, record: Recorder) -> None:
    """Record obfuscation and hidden text."""
