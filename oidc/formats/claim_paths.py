"""Claim paths: which claims of a document are meant, for issuing and for presenting.

A path is the claims path pointer of OpenID4VCI and SD-JWT VC type metadata: text goes to a member
of an object, a number to an element of an array, None to every element. A bare text is the path
of a top-level claim.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

Step = str | int | None
Path = tuple[Step, ...]
AnyPath = str | Path


@dataclass(frozen=True, slots=True)
class PathTree:
    """Paths folded into a tree; `here` says that a path ends at this node."""

    here: bool
    children: Mapping[Step, "PathTree"]

    def member(self, name: str) -> "PathTree | None":
        """Return the subtree for an object's member, or None when no path leads there."""
        return self.children.get(name)

    def element(self, index: int) -> "PathTree | None":
        """Return the subtree for an array's element: its own, the one for all, or both merged."""
        one, each = self.children.get(index), self.children.get(None)
        if one is None or each is None:
            return one or each
        return _merge(one, each)


def tree_of(paths: Iterable[AnyPath]) -> PathTree:
    """Fold paths into a tree.

    Raises ValueError for an empty path, a negative index, or a step that is not text, a whole
    number or None.
    """
    root: dict[Step, object] = {}
    for path in paths:
        steps: Path = (path,) if isinstance(path, str) else tuple(path)
        if not steps:
            raise ValueError("a claim path has at least one step")
        node = root
        for step in steps[:-1]:
            node = _child(node, step)
        _child(node, steps[-1])[_END] = True
    return _freeze(root)


_END: Step = -1  # never a legal step: indices are not negative


def _child(node: dict[Step, object], step: Step) -> dict[Step, object]:
    if isinstance(step, bool) or not (step is None or isinstance(step, str | int)):
        raise ValueError(f"not a step of a claim path: {step!r}")
    if isinstance(step, int) and step < 0:
        raise ValueError("an array index in a claim path is not negative")
    child = node.setdefault(step, {})
    assert isinstance(child, dict)
    return child


def _freeze(node: dict[Step, object]) -> PathTree:
    children = {step: _freeze(child) for step, child in node.items() if isinstance(child, dict)}
    return PathTree(here=_END in node, children=MappingProxyType(children))


def _merge(left: PathTree, right: PathTree) -> PathTree:
    children = dict(left.children)
    for step, child in right.children.items():
        known = children.get(step)
        children[step] = child if known is None else _merge(known, child)
    return PathTree(here=left.here or right.here, children=MappingProxyType(children))
