"""In which order files can be named by their content: each after what it refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

__all__ = ["groups"]


def groups(references: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield the names in groups, each after the groups that it refers to.

    A group of several is a circle: each refers to each, on whatever way (Tarjan's strongly
    connected components, without recursion: chains of imports may be long).
    """
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_names: list[str] = []
    is_open: set[str] = set()
    for root in references:
        if root in number:
            continue
        way = [(root, iter(references[root]))]
        while way:
            name, rest = way[-1]
            if name not in number:
                number[name] = lowest[name] = len(number)
                open_names.append(name)
                is_open.add(name)
            for other in rest:
                if other not in number:
                    way.append((other, iter(references.get(other, ()))))
                    break
                if other in is_open:
                    lowest[name] = min(lowest[name], number[other])
            else:
                way.pop()
                if way:
                    above = way[-1][0]
                    lowest[above] = min(lowest[above], lowest[name])
                if lowest[name] == number[name]:
                    at = len(open_names) - 1
                    while open_names[at] != name:
                        at -= 1
                    group, open_names[at:] = open_names[at:], []
                    is_open.difference_update(group)
                    yield group
