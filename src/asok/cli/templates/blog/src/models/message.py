"""What a visitor sent through the contact form."""

from asok.models import Mapped, Model, Timestamps, field


class Message(Timestamps, Model):
    name: Mapped[str] = field(max_length=100)
    email: Mapped[str] = field(max_length=254)
    text: Mapped[str]
