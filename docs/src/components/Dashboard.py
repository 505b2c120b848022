# src/components/Dashboard.py
from src.library import machine

from asok import Component, broadcast, exposed, listens


class Dashboard(Component):
    loads: list[float] = []
    memory: float = 0.0
    uptime: int = 0
    waves: int = 0

    def mount(self):
        self.measure()

    @exposed
    def measure(self):
        self.loads = [*self.loads, machine.load()][-40:]
        self.memory, self.uptime = machine.memory(), machine.uptime()

    @exposed
    def wave(self):
        broadcast("wave")

    @listens("wave")
    def waved(self):
        self.waves += 1

    @property
    def line(self):
        """The points of the curve, in a box of 390 by 100."""
        top = max(1.0, *self.loads)
        start = 40 - len(self.loads)
        return " ".join(
            f"{(start + at) * 10},{96 - value / top * 88:.1f}"
            for at, value in enumerate(self.loads)
        )
