"""Fingerprints of code: alike where only names and layout differ, unlike where the work is another one."""

from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.shape import SIZE, likeness, nearest, shape

CODE = """
const fs = require("fs");
function take(path, mark) {
  const found = [];
  for (const name of fs.readdirSync(path)) {
    if (name.startsWith(mark) && !found.includes(name)) {
      found.push(path + "/" + name);
    } else if (name === "..") { continue; }
  }
  try { return found.map((one) => fs.readFileSync(one, "utf8")); } catch (error) { return []; }
}
module.exports = { take, count: (list) => list.length * 2 + 1 };
"""
OTHER = """
class Clock {
  constructor(start) { this.now = start; this.ticks = 0; }
  tick() { this.ticks += 1; this.now += 1000; return this.now; }
  async wait(milliseconds) { await new Promise((done) => setTimeout(done, milliseconds)); }
  static of(text) { const [hours, minutes] = text.split(":"); return new Clock(hours * 60 + minutes); }
}
export default Clock;
export const zero = Clock.of("0:0");
"""


def told(text: str) -> str:
    """Return the fingerprint of a text that has one."""
    found = shape(text.encode())
    assert found is not None
    return found


def test_names_and_layout_do_not_count() -> None:
    """Renamed, with other strings and without indentation, it is the same program."""
    renamed = CODE.replace("found", "q7").replace("path", "$p").replace('"utf8"', "'latin1'").replace("  ", "")

    assert likeness(told(CODE), told(renamed)) == 1.0


def test_other_work_is_unlike() -> None:
    """Two programs that do different things have little in common."""
    assert likeness(told(CODE), told(OTHER)) < 0.3
    assert nearest(told(CODE), [told(OTHER), told(CODE)]) == 1.0
    assert nearest(told(CODE), []) == 0.0


def test_what_is_short_has_no_shape() -> None:
    """Of few words nothing can be said; what is no fingerprint is like nothing."""
    assert shape(b"module.exports = 1;\n") is None
    assert likeness("minhash:zz", told(CODE)) == likeness("tlsh:00", told(CODE)) == 0.0


@given(st.binary(max_size=3000))
def test_any_bytes_have_a_bounded_shape_or_none(data: bytes) -> None:
    """Hostile bytes cost no more than others, and the same bytes give the same fingerprint."""
    found = shape(data)

    assert found == shape(data)
    assert found is None or len(found) <= len("minhash:") + 8 * SIZE


def test_quotes_that_nothing_closes_cost_no_more() -> None:
    """A line of escaped quotes is read once, not once from each of them."""
    assert shape(b'"' + b'\\"' * 100_000 + b"\n") is None
    assert shape(b"`" + b"\\`'" * 100_000) is None
