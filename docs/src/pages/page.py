"""The front page: rendered once by `asok build`; its counter is alive all the same."""

from pathlib import Path

from src.library.markdown import render

from asok import Request

SSG = True

COMPONENTS = Path(__file__).parents[1] / "components"


def get(request: Request):
    # The example on the page is the very code that runs on it.
    code = (COMPONENTS / "Counter.py").read_text()
    template = (COMPONENTS / "counter.html").read_text()
    return request.html(
        "page.html",
        code=render(f'```python file="src/components/Counter.py"\n{code}```').html,
        markup=render(f'```html file="src/components/counter.html"\n{template}```').html,
        use=render(
            "```html file=\"src/pages/page.html\"\n{{ component('Counter', count=10) }}\n```"
        ).html,
    )
