from asok.testing import Client, live, queries, rollback

from src.components.Search import Search
from src.models import Message


def test_front_page_lists_the_posts(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert 'href="/blog/static-until-it-matters"' in page.text


def test_post_has_its_own_page(client: Client) -> None:
    page = client.get("/blog/static-until-it-matters")
    assert page.status_code == 200
    assert "Static until it matters" in page.text


def test_unknown_post_is_a_404(client: Client) -> None:
    assert client.get("/blog/no-such-post").status_code == 404


def test_post_asks_the_database_at_most_twice(client: Client) -> None:
    with queries() as ran:
        client.get("/blog/static-until-it-matters")
    assert len(ran) <= 2, ran


def test_search_finds_posts_while_typing() -> None:
    page = live(Search).type("Search the posts", "static")
    assert "Static until it matters" in page.find("ul").text
    assert page.key("escape").all("li") == []


def test_contact_form_says_what_is_missing(client: Client) -> None:
    page = client.submit("/contact", {"Your name": "Ada"})
    assert page.status_code == 422
    assert "Please fill this in." in page.text


def test_contact_form_keeps_the_message(client: Client) -> None:
    fields = {"Your name": "Ada", "Your e-mail address": "ada@example.org", "Message": "Hello"}
    with rollback():
        page = client.submit("/contact", fields)
        assert page.status_code == 200
        assert "Thank you, Ada." in page.text
        assert Message.query().count() == 1
    assert Message.query().count() == 0


def test_contact_form_without_its_token_is_refused(client: Client) -> None:
    assert client.post("/contact", data={"name": "Ada"}).status_code == 403
