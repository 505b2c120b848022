"""The front page: rendered once by `asok build`; its counter is alive all the same."""

SSG = True
