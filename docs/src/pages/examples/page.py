"""All examples on one page."""

SSG = True
