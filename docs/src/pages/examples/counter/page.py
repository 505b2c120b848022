"""The counter as its own page, static like the front page."""

SSG = True
