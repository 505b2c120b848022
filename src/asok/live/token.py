"""`data-asok-state`: what a page says about a component, signed.

A page for everybody carries the constructor's values, class and instance (`Frozen`): bound to
no visitor, no build and no time, so that the page can be stored for as long as it likes. A
page for one visitor carries a state too (`Joined`): bound to the session, with its version and
time.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from hashlib import blake2b
from typing import Final, Generic, TypeVar

import msgspec

from asok.errors import StateRefused
from asok.signing import Keys

__all__ = ["NO_STATE", "PURPOSE", "Frozen", "Joined", "Payload", "Signed", "Tokens", "digest"]

P = TypeVar("P")

PURPOSE: Final = "live.state"
NO_STATE: Final = msgspec.Raw(b"null")
#: Length of base64url of an HMAC-SHA256 without padding.
_SIGNATURE: Final = 43


class Frozen(msgspec.Struct, array_like=True, tag="f", frozen=True):
    """A component of a page that is the same for everybody.

    `props` are the constructor's values as JSON; `schema` the version of the class's fields;
    `blank` says that the page shows nothing of it yet; `slot` is the HTML it was given; `page`
    the path of the page, whose guards are the component's too.
    """

    name: str
    cid: str
    schema: str
    props: msgspec.Raw
    blank: bool = False
    slot: str = ""
    page: str = ""


class Joined(msgspec.Struct, array_like=True, tag="j", frozen=True):
    """A component of one visitor's page; `owner` stands for the session, `issued` is in
    seconds of the Unix clock, `state` is `NO_STATE` as soon as one is stored."""

    name: str
    cid: str
    schema: str
    props: msgspec.Raw
    blank: bool
    slot: str
    owner: str
    version: int
    issued: float
    # msgspec knows no `Raw | None`; a state is an object, never null.
    state: msgspec.Raw = NO_STATE
    page: str = ""


Payload = Frozen | Joined

_decoder: msgspec.json.Decoder[Payload] = msgspec.json.Decoder(Payload)


def digest(props: bytes) -> str:
    """Return a short digest of the constructor's values: another one resets what is stored."""
    return blake2b(props, digest_size=9).hexdigest()


class Signed(Generic[P]):
    """Signs and reads values of one kind for one purpose.

    The signature has no time stamp (itsdangerous' would), so that a page which is frozen
    twice has the same bytes; a joined state holds its own.
    """

    def __init__(self, keys: Keys, purpose: str, decoder: msgspec.json.Decoder[P]) -> None:
        self._keys = keys.derive_all(purpose)
        self._decoder = decoder

    def sign(self, payload: P) -> str:
        """Return `payload` as URL-safe text with its signature."""
        body = urlsafe_b64encode(msgspec.json.encode(payload)).rstrip(b"=")
        return (body + b"." + _signature(self._keys[0], body)).decode()

    def read(self, token: str) -> P:
        """Return what was signed. Raises `StateRefused` (reason `signature`) for anything that
        was changed, made for another purpose, or signed by a key no longer in use."""
        try:
            text = token.encode("ascii")
            body, signature = text[: -_SIGNATURE - 1], text[-_SIGNATURE:]
            # The text of the signature is compared, not its bytes: base64 has spare bits.
            if text[-_SIGNATURE - 1 : -_SIGNATURE] == b"." and any(
                hmac.compare_digest(signature, _signature(key, body)) for key in self._keys
            ):
                return self._decoder.decode(urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
        except (UnicodeEncodeError, Base64Error, msgspec.MsgspecError) as error:
            raise _refused() from error
        raise _refused()


class Tokens(Signed[Payload]):
    """Signs and reads states."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(keys, PURPOSE, _decoder)


def _signature(key: bytes, body: bytes) -> bytes:
    return urlsafe_b64encode(hmac.digest(key, body, "sha256")).rstrip(b"=")


def _refused() -> StateRefused:
    return StateRefused(
        "a component's state was changed, cut, made for something else, or signed by a key that "
        "is no longer in use.",
        reason="signature",
    )
