from starlette.testclient import TestClient


def test_front_page_shows_the_counter(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "Count: 10" in page.text


def test_stylesheets_are_served(client: TestClient) -> None:
    assert client.get("/static/css/base.css").status_code == 200


def test_unknown_page_is_answered_with_our_own_404(client: TestClient) -> None:
    page = client.get("/no-such-page")
    assert page.status_code == 404
    assert "There is nothing here." in page.text
