# src/components/Chat.py
import random
import time

from src.models import Message

from asok import Component, broadcast, exposed

ANIMALS = ("Badger", "Crane", "Dormouse", "Heron", "Lynx", "Newt", "Otter", "Stoat", "Wren")
KEPT = 200
SHOWN = 40


class Chat(Component):
    author: str = ""
    wrote: float = 0.0
    subscriptions = ["chat"]
    _bindable = ("author",)

    def mount(self):
        self.author = f"{random.choice(ANIMALS)} {random.randrange(10, 100)}"

    @property
    def messages(self):
        return Message.query().order_by("-id").limit(SHOWN).get()

    def validate_author(self, author):
        if not author.strip():
            raise ValueError("Choose a name.")
        return author.strip()[:24]

    def validate_text(self, text):
        if not text.strip():
            raise ValueError("Write something first.")
        if len(text) > 280:
            raise ValueError(f"At most 280 characters, please; this has {len(text)}.")
        if time.time() - self.wrote < 1:
            raise ValueError("One message a second, please.")
        return text.strip()

    @exposed
    def send(self, text: str):
        message = Message.create(author=self.author, text=text)
        # Everybody may write here: the oldest messages make room.
        Message.where("id", "<=", message.id - KEPT).delete()
        self.wrote = time.time()
        broadcast("chat")

    def render_placeholder(self):
        return "<p>The chat is on its way.</p>"
