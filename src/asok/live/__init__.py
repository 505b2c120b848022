"""Live components: state on the server, HTML in the page. Knows no framework and no socket."""

from asok.live.broadcasting import broadcast, configure_broadcasts
from asok.live.component import Component, SessionLike
from asok.live.conversation import TOO_BIG, Conversation, HangUp
from asok.live.deferred import Deferred
from asok.live.engine import Live
from asok.live.exposed import exposed
from asok.live.form_files import takes_files
from asok.live.limits import Bucket, Limits
from asok.live.listening import listens
from asok.live.plain_form import CALL_FIELD, STATE_FIELD, read_call
from asok.live.records import Records, configure_records
from asok.live.redis import RedisLiveStore
from asok.live.registry import Definition, Registry
from asok.live.runtime import (
    SCRIPTS,
    defer_bytes,
    defer_name,
    runtime_bytes,
    runtime_name,
    script_bytes,
    script_name,
)
from asok.live.scope import owner_of
from asok.live.screen import Emit
from asok.live.secrets import SocketSecrets
from asok.live.slot import Html
from asok.live.sqlite import SqliteLiveStore
from asok.live.store import LiveStore, MemoryLiveStore, Row

__all__ = [
    "CALL_FIELD",
    "SCRIPTS",
    "STATE_FIELD",
    "TOO_BIG",
    "Bucket",
    "Component",
    "Conversation",
    "Deferred",
    "Definition",
    "Emit",
    "HangUp",
    "Html",
    "Limits",
    "Live",
    "LiveStore",
    "MemoryLiveStore",
    "Records",
    "RedisLiveStore",
    "Registry",
    "Row",
    "SessionLike",
    "SocketSecrets",
    "SqliteLiveStore",
    "broadcast",
    "configure_broadcasts",
    "configure_records",
    "defer_bytes",
    "defer_name",
    "exposed",
    "listens",
    "owner_of",
    "read_call",
    "runtime_bytes",
    "runtime_name",
    "script_bytes",
    "script_name",
    "takes_files",
]
