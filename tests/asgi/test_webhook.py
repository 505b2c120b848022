"""The webhook of a CMS: who may call it, what it understands, what it answers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.pages.test_on_demand import Asked, on_demand

import asok
from asok.asgi.announcement import MAX_ENTRIES, Announcement
from asok.asgi.webhook import MAX_BODY, WEBHOOK_PATH, Webhook, WebhookKey
from asok.errors import ConfigurationError
from asok.pages import path_tag, route_tag

from .conftest import Open

SECRET = "a-secret-of-the-content-system"
BEARER = {"authorization": f"Bearer {SECRET}"}
NOW = 1_700_000_000
KEY = base64.b64encode(b"k" * 24).decode()


def signed(
    body: bytes,
    key: bytes = SECRET.encode(),
    *,
    number: str = "msg_1",
    moment: object = NOW,
    before: str = "",
) -> dict[str, str]:
    """The headers of Standard Webhooks for `body`."""
    content = f"{number}.{moment}.".encode() + body
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": number,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"{before}v1,{signature}",
    }


@pytest.fixture
def store() -> Asked:
    return Asked()


@pytest.fixture
def client(store: Asked) -> TestClient:
    """A client of the webhook alone, with a clock that stands."""
    key = WebhookKey(SECRET, clock=lambda: float(NOW))
    return TestClient(Webhook(key, on_demand(store, "https://example.org")))


def post(
    client: TestClient, body: Any, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post("/", content=data, headers=BEARER if headers is None else headers)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert "set-cookie" not in answer.headers
    return answer.status_code, answer.json()


def test_paths_patterns_addresses_and_tags_are_revalidated(
    client: TestClient, store: Asked
) -> None:
    status, answer = post(
        client,
        {
            "paths": ["/about/", "https://example.org/about", "/blog/caf%C3%A9", "/blog/[slug]"],
            "tags": ["posts", "post:1", "posts"],
        },
    )
    assert status == 200
    assert answer == {
        "revalidated": {
            "paths": ["/about", "/blog/café", "/blog/[slug]"],
            "tags": ["posts", "post:1"],
        },
        "block": False,
    }
    assert store.tags == [
        (path_tag("/about"), False),
        (path_tag("/blog/café"), False),
        (route_tag("/blog/[slug]"), False),
        ("posts", False),
        ("post:1", False),
    ]


def test_block_is_passed_on(client: TestClient, store: Asked) -> None:
    status, answer = post(client, {"tags": ["posts"], "block": True})
    assert (status, answer["block"]) == (200, True)
    assert store.tags == [("posts", True)]


def test_unknown_paths_are_named_and_hold_up_no_other(client: TestClient, store: Asked) -> None:
    status, answer = post(client, {"paths": ["/abuot", "/about", "/contact"]})
    assert status == 200
    assert answer["revalidated"] == {"paths": ["/about"], "tags": []}
    assert answer["refused"]["/abuot"] == "no page answers '/abuot'. Did you mean /about?"
    assert "is made for every request" in answer["refused"]["/contact"]
    assert store.tags == [(path_tag("/about"), False)]


def test_nothing_but_unknown_paths_is_404(client: TestClient, store: Asked) -> None:
    status, answer = post(client, {"paths": ["/abuot"]})
    assert status == 404
    assert list(answer["refused"]) == ["/abuot"]
    assert store.tags == []


def test_a_store_that_can_not_tell_the_others_has_the_sender_try_again(
    client: TestClient, store: Asked
) -> None:
    status, answer = post(client, {"tags": ["lost", "posts"]})
    assert (status, list(answer)) == (503, ["error"])
    assert store.tags == [("lost", False), ("posts", False)]


def test_a_signature_of_standard_webhooks_is_accepted(client: TestClient, store: Asked) -> None:
    body = b'{"tags": ["posts"]}'
    assert post(client, body, signed(body))[0] == 200
    assert post(client, body, signed(body))[0] == 200, "sent again, as after a lost answer"
    # Several: of a key that is about to be retired, of another version.
    assert post(client, body, signed(body, before="v1a,xx v1,AAAA "))[0] == 200
    for moment in (NOW - 300, NOW + 300):
        assert post(client, body, signed(body, moment=moment))[0] == 200
    assert len(store.tags) == 5


def test_the_reference_example_of_standard_webhooks_is_genuine() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, libraries/python/tests
    key = WebhookKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", clock=lambda: 1614265330.0)
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert key.problem(headers, b'{"test": 2432232314}') is None
    assert key.problem(headers, b'{"test": 2432232315}') is not None


@pytest.mark.parametrize("padding", ["", "="])
def test_a_prefixed_secret_is_a_key_in_base64(padding: str) -> None:
    raw = b"k" * 26
    text = base64.b64encode(raw).decode().rstrip("=") + padding
    key = WebhookKey(f"whsec_{text}", clock=lambda: float(NOW))
    assert key.problem(signed(b"x", raw), b"x") is None
    assert key.problem({"authorization": f"bearer whsec_{text}"}, b"x") is None


@pytest.mark.parametrize(
    ("secret", "message"),
    [("whsec_no base64 at all, is it?", "no Base64"), ("whsec_c2hvcnQ=", "a key of 5 bytes")],
)
def test_a_prefixed_secret_that_is_no_key_is_refused_at_the_start(
    secret: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        WebhookKey(secret)
    assert caught.value.fix


BODY = b'{"tags": ["posts"]}'


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "neither a webhook-signature nor"),
        ({"authorization": "Bearer wrong"}, "is not ASOK_REVALIDATE_SECRET"),
        ({"authorization": "Bearer"}, "is not ASOK_REVALIDATE_SECRET"),
        ({"authorization": b"Bearer \xff"}, "is not ASOK_REVALIDATE_SECRET"),
        ({"authorization": f"Basic {SECRET}"}, "neither"),
        (signed(BODY, b"another key"), "no webhook-signature fits"),
        (signed(BODY + b" "), "no webhook-signature fits"),
        ({**signed(BODY), "webhook-id": "msg_2"}, "no webhook-signature fits"),
        ({**signed(BODY), "webhook-timestamp": str(NOW + 1)}, "no webhook-signature fits"),
        ({**signed(BODY), "webhook-signature": "v1"}, "no webhook-signature fits"),
        ({**signed(BODY), "webhook-signature": b"v1,\xff"}, "no webhook-signature fits"),
        ({**signed(BODY), "webhook-signature": "v1, " * 400}, "no webhook-signature fits"),
        (signed(BODY, number=""), "no webhook-id"),
        (signed(BODY, moment=""), "webhook-timestamp is no number"),
        (signed(BODY, moment="1e9"), "webhook-timestamp is no number"),
        (signed(BODY, moment="9" * 400), "webhook-timestamp is no number"),
        (signed(BODY, moment=NOW - 301), "301 seconds old"),
        (signed(BODY, moment=NOW + 301), "301 seconds ahead"),
    ],
)
def test_who_can_not_prove_himself_changes_nothing(
    client: TestClient, store: Asked, headers: dict[str, str], message: str
) -> None:
    status, answer = post(client, BODY, headers)
    assert status == 401
    assert message in answer["error"]
    assert SECRET not in answer["error"]
    assert store.tags == []


def test_a_refusal_names_the_way_to_log_in(client: TestClient) -> None:
    answer = client.post("/", content=BODY)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 5000, "is not JSON"),
        (b'"posts"', "the body is a string, expected an object"),
        (b"[1]", "the body is an array"),
        (b"null", "the body is null"),
        ({"path": ["/"]}, '"path" is none of "paths", "tags", "block"; did you mean "paths"?'),
        ({"zzz": 1}, '"zzz" is none of'),
        ({"paths": "/"}, '"paths" is a string, expected an array of strings'),
        ({"paths": {}}, '"paths" is an object, expected an array'),
        ({"paths": [1]}, '"paths"[0] is a number, expected a string'),
        ({"tags": ["a", None]}, '"tags"[1] is null, expected a string'),
        ({"tags": ["a", True]}, '"tags"[1] is true, expected a string'),
        (b'{"paths": ["\\ud800"]}', "half of a surrogate pair"),
        ({"tags": ["a"], "block": 1}, '"block" is a number, expected true or false'),
        ({}, "there is nothing to revalidate"),
        ({"paths": [], "tags": []}, "there is nothing to revalidate"),
        ({"tags": ["posts", ""]}, "the tag '' can't be revalidated"),
        ({"tags": ["x" * 129]}, "129 characters"),
        (
            {"paths": ["/about"], "tags": [str(n) for n in range(MAX_ENTRIES)]},
            "1001 paths and tags, expected at most 1000",
        ),
    ],
)
def test_a_body_that_is_wrong_is_explained_and_changes_nothing(
    client: TestClient, store: Asked, body: Any, message: str
) -> None:
    status, answer = post(client, body)
    assert status == 400
    assert message in answer["error"]
    assert store.tags == []


def test_a_thousand_entries_are_taken(client: TestClient, store: Asked) -> None:
    assert post(client, {"tags": [str(n) for n in range(MAX_ENTRIES)]})[0] == 200
    assert len(store.tags) == MAX_ENTRIES


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_post_is_answered(client: TestClient, method: str) -> None:
    answer = client.request(method, "/", headers=BEARER)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["cache-control"] == "no-store"


def test_a_large_body_is_refused_by_its_length_and_unread(store: Asked) -> None:
    webhook = Webhook(WebhookKey(SECRET), on_demand(store))
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": WEBHOOK_PATH,
        "headers": [(b"content-length", b"%d" % (MAX_BODY + 1))],
    }
    asyncio.run(webhook(scope, receive, send))
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_large_body_without_a_length_is_stopped_while_it_comes(
    client: TestClient, store: Asked
) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 1024 + 2):
            yield b" " * 1024

    answer = client.post("/", content=chunks(), headers=BEARER)
    assert answer.status_code == 413
    assert "larger than 65536 bytes" in answer.json()["error"]


def test_a_sender_that_goes_away_changes_nothing(store: Asked) -> None:
    webhook = Webhook(WebhookKey(SECRET), on_demand(store))
    messages = iter(
        [
            {"type": "http.request", "body": b'{"tags": ["posts"]}', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        pass

    headers = [(b"authorization", BEARER["authorization"].encode())]
    scope = {"type": "http", "method": "POST", "path": WEBHOOK_PATH, "headers": headers}
    asyncio.run(webhook(scope, receive, send))
    assert store.tags == []


PAGES = {
    "src/pages/page.py": """
        SSG = True
        TAGS = ("news",)
        seen = []

        def get(request):
            seen.append(1)
            return f"<p>{len(seen)}</p>"
        """,
}


def test_a_site_with_a_secret_has_the_webhook(open_site: Open) -> None:
    client = open_site(PAGES, revalidate_secret=SECRET)
    assert client.get("/").text == "<p>1</p>"
    assert client.get("/").text == "<p>1</p>"
    for body in ({"tags": ["news"]}, {"paths": ["/"]}):
        before = client.get("/").text
        answer = client.post(WEBHOOK_PATH, json={**body, "block": True}, headers=BEARER)
        assert answer.status_code == 200
        assert client.get("/").text != before
    assert client.post(WEBHOOK_PATH, json={"tags": ["news"]}).status_code == 401
    assert client.get(WEBHOOK_PATH).status_code == 405


def test_the_application_and_the_functions_do_the_same(open_site: Open) -> None:
    client = open_site(PAGES)
    app: Any = client.app
    for revalidate in (
        lambda: app.revalidate_path("/", block=True),
        lambda: app.revalidate_tag("news", block=True),
        lambda: asok.revalidate_path("/", block=True),
        lambda: asok.revalidate_tag("news", block=True),
    ):
        before = client.get("/").text
        assert client.get("/").text == before
        revalidate()
        assert client.get("/").text != before


def test_a_site_without_a_secret_has_no_webhook(open_site: Open) -> None:
    client = open_site(PAGES)
    for method in ("GET", "POST"):
        answer = client.request(method, WEBHOOK_PATH, headers=BEARER)
        assert answer.status_code == 404
        assert f"There is no page {WEBHOOK_PATH}." in answer.text


def test_while_developing_the_webhook_only_checks(open_site: Open) -> None:
    client = open_site(PAGES, debug=True, revalidate_secret=SECRET)
    assert client.post(WEBHOOK_PATH, json={"paths": ["/"]}, headers=BEARER).status_code == 200
    assert client.post(WEBHOOK_PATH, json={"paths": ["/x"]}, headers=BEARER).status_code == 404


def test_a_socket_is_closed_before_it_opens(open_site: Open) -> None:
    client = open_site(PAGES, revalidate_secret=SECRET)
    with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect(WEBHOOK_PATH):
        pass
    assert caught.value.code == 1000


@settings(deadline=None)
@given(st.binary() | st.from_regex(rb'\{"(paths|tags|block)": ?[^}]*\}'))
def test_any_body_is_read_or_explained(body: bytes) -> None:
    try:
        found = Announcement.read(body)
    except ValueError as error:
        assert str(error)  # noqa: PT017
    else:
        assert found.paths or found.tags


_HEADER = st.text(st.characters(max_codepoint=255))


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "authorization": _HEADER | st.just("Bearer ") | _HEADER.map("Bearer {}".format),
            "webhook-id": _HEADER,
            "webhook-timestamp": _HEADER | st.integers().map(str),
            "webhook-signature": _HEADER | _HEADER.map("v1,{}".format),
        },
    ),
    st.binary(),
)
def test_no_headers_but_genuine_ones_prove_anything(headers: dict[str, str], body: bytes) -> None:
    assert WebhookKey(SECRET, clock=lambda: float(NOW)).problem(headers, body)
