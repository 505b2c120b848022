import re

from starlette.testclient import TestClient


def test_front_page_lists_the_posts(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert 'href="/blog/static-until-it-matters"' in page.text


def test_post_has_its_own_page(client: TestClient) -> None:
    page = client.get("/blog/static-until-it-matters")
    assert page.status_code == 200
    assert "Static until it matters" in page.text


def test_unknown_post_is_a_404(client: TestClient) -> None:
    assert client.get("/blog/no-such-post").status_code == 404


def test_contact_form_says_what_is_missing(client: TestClient) -> None:
    page = client.post("/contact", data={"name": "Ada", "csrf_token": token(client)})
    assert page.status_code == 422
    assert "Please fill this in." in page.text


def test_contact_form_keeps_the_message(client: TestClient) -> None:
    fields = {"name": "Ada", "email": "ada@example.org", "text": "Hello"}
    page = client.post("/contact", data={**fields, "csrf_token": token(client)})
    assert page.status_code == 200
    assert "Thank you, Ada." in page.text


def test_contact_form_without_its_token_is_refused(client: TestClient) -> None:
    assert client.post("/contact", data={"name": "Ada"}).status_code == 403


def token(client: TestClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/contact").text)
    assert found is not None
    return found[1]
