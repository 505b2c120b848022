"""The models. Those of a new file are found here without a line; this one is for your editor."""

from src.models.message import Message
from src.models.post import Post

__all__ = ["Message", "Post"]
