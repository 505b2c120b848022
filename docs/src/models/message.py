"""What somebody wrote in the chat."""

from asok import Model
from asok.models import Mapped, field


class Message(Model):
    author: Mapped[str] = field(max_length=24)
    text: Mapped[str] = field(max_length=280)
