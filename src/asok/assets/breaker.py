"""What a cache-breaker token in a URL means against the current one.

Two tokens of digits are compared as integers. Any other pair is ordered only by a release
ledger, the tokens of the releases in the order of their deploys. A token that neither rule
can place, or that they place differently, is *unknown*: it gets the current bytes uncached,
because redirecting it would send a visitor back and forth between two instances, and
refusing it would break a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["Age", "Breaker"]


class Age(Enum):
    """Where a token stands against the current one."""

    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Breaker:
    """The current token and the ledger: known tokens, oldest deploy to newest.

    A token that was deployed again after a rollback stands in the ledger as often.
    """

    current: str
    ledger: Sequence[str] = ()

    def age(self, token: str) -> Age:
        """Return the age of `token`. Linear in its length, whatever it holds."""
        if token == self.current:
            return Age.CURRENT
        deployed, counted = self._deployed(token), self._counted(token)
        if deployed is None or counted is None:
            return counted or deployed or Age.UNKNOWN
        # An instance with a shorter ledger goes by the numbers: were they overruled here, each
        # of the two could redirect to the other, for ever.
        return deployed if deployed is counted else Age.UNKNOWN

    def _deployed(self, token: str) -> Age | None:
        if token not in self.ledger or self.current not in self.ledger:
            return None
        mine = [place for place, known in enumerate(self.ledger) if known == self.current]
        theirs = [place for place, known in enumerate(self.ledger) if known == token]
        if max(theirs) < min(mine):
            return Age.OLDER
        # Both before and after: a release that was rolled back. Whichever way it were sent, an
        # instance of the other release may send it back.
        return Age.NEWER if min(theirs) > max(mine) else Age.UNKNOWN

    def _counted(self, token: str) -> Age | None:
        if not (_is_number(token) and _is_number(self.current)):
            return None
        mine, theirs = _magnitude(self.current), _magnitude(token)
        if theirs == mine:
            return None
        return Age.OLDER if theirs < mine else Age.NEWER


def _is_number(token: str) -> bool:
    # `isdigit` alone is also true of "²" and of Arabic digits.
    return token.isascii() and token.isdigit()


def _magnitude(token: str) -> tuple[int, str]:
    # Orders as the integer does, without `int`, which refuses more than 4,300 digits.
    digits = token.lstrip("0")
    return len(digits), digits
