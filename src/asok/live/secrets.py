"""What forms and scripts inside components get in place of a page's own secrets."""

from __future__ import annotations

from dataclasses import dataclass

from asok import holes

__all__ = ["SocketSecrets", "WatchedSecrets"]


@dataclass(frozen=True, slots=True)
class SocketSecrets:
    """What forms in components get over a socket: one CSRF value for its whole life, so that
    it makes no difference; and no nonce, since a script in an update would not run anyway."""

    csrf: str = ""
    nonce: str = ""

    @property
    def tokens(self) -> bool:
        """Whether there are CSRF tokens."""
        return bool(self.csrf)


class WatchedSecrets:
    """Secrets that note whether one was shown: then the HTML is this visitor's alone."""

    __slots__ = ("_secrets", "used")

    def __init__(self, secrets: holes.Secrets) -> None:
        self._secrets = secrets
        self.used = False

    @property
    def csrf(self) -> str:
        """The visitor's CSRF value."""
        self.used = True
        return self._secrets.csrf

    @property
    def nonce(self) -> str:
        """The nonce."""
        self.used = True
        return self._secrets.nonce

    @property
    def tokens(self) -> bool:
        """Whether there are CSRF tokens."""
        return self._secrets.tokens
