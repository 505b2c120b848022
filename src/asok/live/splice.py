"""The difference of two texts as splices: common ends, then tokens, within a bound of work.

Most updates of a component change one number or one row: the common prefix and suffix are
found by comparing slices (memcmp, a few microseconds for 12 KB). Between them the texts are
compared tag by tag with Myers' greedy algorithm ("An O(ND) Difference Algorithm", 1986),
which is given up after a fixed amount of work in favour of one larger splice.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from asok.live.frames import Splice

__all__ = ["apply", "difference"]

#: Differences (removed plus added tokens) that are looked for before giving up.
_MOST_EDITS: Final = 64
#: Tokens of the changed middle, old and new together, that are compared at all.
_MOST_TOKENS: Final = 6_000
#: A splice costs about this many bytes besides its text: nearer ones are written as one.
_OVERHEAD: Final = 12

#: Texts of so many characters are compared as two numbers, which costs less than ten slices.
_SHORT: Final = 4_096

_token = re.compile(r"<[^>]*>|[^<]+|<")


def difference(old: str, new: str) -> list[Splice]:
    """Return the splices that turn `old` into `new`, ascending, in UTF-16 units of `old`."""
    if old == new:
        return []
    start = _prefix(old, new)
    end = _suffix(old, new, start)
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    pieces = _tokenwise(middle_old, middle_new) or [(0, len(middle_old), middle_new)]
    return _utf16(old, [(start + at, size, text) for at, size, text in pieces])


def apply(old: str, splices: list[Splice]) -> str:
    """Return what a browser makes of `splices`: the inverse of `difference`, for tests."""
    units = old.encode("utf-16-le", "surrogatepass")
    for at, size, text in reversed(splices):
        piece = text.encode("utf-16-le", "surrogatepass")
        units = units[: 2 * at] + piece + units[2 * (at + size) :]
    return units.decode("utf-16-le", "surrogatepass")


def _prefix(old: str, new: str) -> int:
    """The length of the common prefix, by doubling and halving the compared slice."""
    limit = min(len(old), len(new))
    if old[:limit] == new[:limit]:
        return limit
    if limit <= _SHORT and old.isascii() and new.isascii():
        return _first_difference(old[:limit], new[:limit], "little")
    low, step = 0, 64
    while old[low : low + step] == new[low : low + step]:
        low, step = low + step, step * 2
    high = min(low + step, limit)  # the texts differ within [low, high)
    while high - low > 1:
        half = (low + high) // 2
        if old[low:half] == new[low:half]:
            low = half
        else:
            high = half
    return low


def _suffix(old: str, new: str, start: int) -> int:
    """The length of the common suffix of what follows the common prefix."""
    limit = min(len(old), len(new)) - start
    first, second = old[len(old) - limit :], new[len(new) - limit :]
    if first == second:
        return limit
    if limit <= _SHORT and first.isascii() and second.isascii():
        return _first_difference(first, second, "big")
    low, high = 0, limit + 1  # known common, known (or assumed) different
    step = 64
    while (
        low + step <= limit
        and old[len(old) - low - step : len(old) - low]
        == (new[len(new) - low - step : len(new) - low])
    ):
        low, step = low + step, step * 2
    high = min(low + step, limit + 1)
    while high - low > 1:
        half = (low + high) // 2
        if old[len(old) - half : len(old) - low] == new[len(new) - half : len(new) - low]:
            low = half
        else:
            high = half
    return low


def _first_difference(one: str, other: str, order: Literal["little", "big"]) -> int:
    """Where two ASCII texts of one length first differ, from the front ("little") or the end."""
    differs = int.from_bytes(one.encode(), order) ^ int.from_bytes(other.encode(), order)
    return ((differs & -differs).bit_length() - 1) // 8


def _tokenwise(old: str, new: str) -> list[Splice] | None:
    """Splices found between tokens, or None where one splice is as good."""
    if len(old) + len(new) < 2 * _OVERHEAD:
        return None
    # The middle may begin inside a tag; what belongs together on both sides stays together,
    # since equal pieces are equal wherever they were cut.
    first, second = _token.findall(old), _token.findall(new)
    if not 2 < len(first) + len(second) <= _MOST_TOKENS:
        return None
    runs = _runs(first, second)
    if runs is None:
        return None
    result: list[Splice] = []
    at = position = 0
    for old_from, old_to, new_from, new_to in runs:
        at += sum(map(len, first[position:old_from]))
        position = old_to
        removed = "".join(first[old_from:old_to])
        added = "".join(second[new_from:new_to])
        size = len(removed)
        lead = _prefix(removed, added)
        tail = _suffix(removed, added, lead)
        splice = (at + lead, size - lead - tail, added[lead : len(added) - tail])
        at += size
        if splice[1] or splice[2]:
            _append(result, splice, old)
    return result


def _append(splices: list[Splice], splice: Splice, old: str) -> None:
    """Add a splice, as one with the last where the text between costs less than a splice."""
    if splices:
        at, size, text = splices[-1]
        gap = splice[0] - at - size
        if gap < _OVERHEAD:
            between = old[at + size : splice[0]]
            splices[-1] = (at, size + gap + splice[1], text + between + splice[2])
            return
    splices.append(splice)


def _runs(old: list[str], new: list[str]) -> list[tuple[int, int, int, int]] | None:
    """The runs of tokens that differ, as (old from, old to, new from, new to), ascending.

    Myers' forward search over the edit graph: `furthest[k]` is the furthest position in `old`
    on diagonal k = (old position - new position) after so many edits. None where more than
    `_MOST_EDITS` are needed.
    """
    size_old, size_new = len(old), len(new)
    furthest: dict[int, int] = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(_MOST_EDITS, size_old + size_new) + 1):
        trace.append(furthest.copy())
        for k in range(-edits, edits + 1, 2):
            if k == -edits or (k != edits and furthest.get(k - 1, -1) < furthest.get(k + 1, -1)):
                x = furthest[k + 1]
            else:
                x = furthest[k - 1] + 1
            y = x - k
            while x < size_old and y < size_new and old[x] == new[y]:
                x += 1
                y += 1
            furthest[k] = x
            if x >= size_old and y >= size_new:
                return _backtrack(trace, size_old, size_new)
    return None


def _backtrack(trace: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int, int, int]]:
    """Walk the search back to its start and join adjacent edits to runs."""
    runs: list[tuple[int, int, int, int]] = []
    for edits in range(len(trace) - 1, 0, -1):
        furthest = trace[edits]
        k = x - y
        down = k == -edits or (k != edits and furthest.get(k - 1, -1) < furthest.get(k + 1, -1))
        before = k + 1 if down else k - 1
        from_x = furthest[before]
        from_y = from_x - before
        to_x, to_y = (from_x, from_y + 1) if down else (from_x + 1, from_y)
        if runs and runs[-1][0] == to_x and runs[-1][2] == to_y:
            _, end_x, _, end_y = runs.pop()
        else:
            end_x, end_y = to_x, to_y
        runs.append((from_x, end_x, from_y, end_y))
        x, y = from_x, from_y
    runs.reverse()
    return runs


def _utf16(old: str, splices: list[Splice]) -> list[Splice]:
    """Turn offsets in characters into UTF-16 units, where there are characters beyond the BMP."""
    if old.isascii() or len(old.encode("utf-16-le", "surrogatepass")) == 2 * len(old):
        return splices
    result: list[Splice] = []
    position = units = 0
    for at, size, text in splices:
        units += _units(old[position:at])
        removed = _units(old[at : at + size])
        result.append((units, removed, text))
        units += removed
        position = at + size
    return result


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
