from asok.testing import Client, live

from src.components.Counter import Counter
from wsgi import app


def test_front_page_shows_the_counter(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "Count: 10" in page.text


def test_counter_counts() -> None:
    page = live(Counter, count=10)
    page.click("Add 1").click("Add 1")
    assert page.find("h3").text == "Count: 12"
    assert page.reload().state == {"count": 12}


def test_counter_counts_on_the_front_page() -> None:
    assert "Count: 11" in live("/", app=app).click("Add 1").text


def test_stylesheets_are_served(client: Client) -> None:
    assert client.get("/static/css/base.css").status_code == 200


def test_unknown_page_is_answered_with_our_own_404(client: Client) -> None:
    page = client.get("/no-such-page")
    assert page.status_code == 404
    assert "There is nothing here." in page.text
