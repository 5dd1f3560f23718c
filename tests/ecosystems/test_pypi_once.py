"""What is remembered of an object goes with it: a memo must not keep an archive in memory."""

import gc
import weakref

from lazaretto.core.tree import Tree
from lazaretto.ecosystems.pypi.once import Once


def test_an_answer_is_worked_out_once_and_goes_with_its_object() -> None:
    """The same object is not looked at twice; an equal one is another; nothing is left of one that is gone."""
    asked: list[int] = []

    def work(tree: Tree) -> int:
        asked.append(len(tree.files))
        return len(asked)

    once = Once(work)
    trees = [Tree({}), Tree({})]
    assert [once(trees[0]), once(trees[1]), once(trees[0])] == [1, 2, 1]
    gone = weakref.ref(trees.pop(0))
    gc.collect()
    assert gone() is None
    assert len(once._known) == 1
    assert once(trees[0]) == 2
