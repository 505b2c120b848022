# src/components/Counter.py
from asok import Component
from asok.component import exposed


class Counter(Component):
    count = 0

    @exposed
    def increment(self):
        self.count += 1

    def render(self):
        return self.html("counter.html")
