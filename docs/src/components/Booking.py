# src/components/Booking.py
import re
from datetime import date
from typing import Annotated

from msgspec import Meta

from asok import Component, exposed


class Booking(Component):
    booked: str = ""
    name: str = ""
    email: str = ""
    _bindable = ("name", "email")

    def validate_name(self, name):
        if len(name.strip()) < 2:
            raise ValueError("Please tell us your name.")
        return name.strip()[:60]

    def validate_email(self, email):
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", email, re.IGNORECASE):
            raise ValueError("Write an address like ada@example.org.")

    def validate_day(self, day):
        if day < date.today():
            raise ValueError("That day has passed.")

    @exposed
    def book(self, name: str, email: str, day: date, seats: Annotated[int, Meta(ge=1, le=12)]):
        if seats > 6 and day.weekday() > 4:
            self.errors["seats"] = "At weekends we have six seats for one party."
            return
        self.booked = f"{name}, {seats} on {day:%A, %d %B}"

    @exposed
    def again(self):
        self.booked = self.name = self.email = ""
