"""What clients send wrongly is their error (4xx), never ours (500)."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from .conftest import Open

SITE = {
    "src/pages/hook/page.py": """
        CSRF = False
        def post(request):
            for upload in request.files.values():
                upload.save(request.site.root / "saved")
            names = [upload.filename for upload in request.files.values()]
            return {"form": sorted(request.form), "files": len(request.files), "names": names}
        """
}


@pytest.fixture
def client(open_site: Open) -> TestClient:
    return open_site(SITE)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense\r\n\r\n\r\n--b--"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(1001))),
    ],
)
def test_a_form_that_is_none_is_a_bad_request(
    client: TestClient, kind: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.post("/hook", content=body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("charset", ["nonsense", "utf-16", "zlib", "\x00"])
def test_an_unknown_charset_does_no_harm(client: TestClient, charset: str) -> None:
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--\r\n'
    answer = client.post("/hook", content=body, headers={"content-type": kind})
    assert answer.status_code in (200, 400)


def test_a_length_of_thousands_of_digits_is_too_large(client: TestClient) -> None:
    answer = client.post("/hook", content=b"", headers={"content-length": "9" * 5000})
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


def test_an_upload_is_saved_where_the_handler_says(client: TestClient) -> None:
    answer = client.post("/hook", files={"f": ("../../x", b"data")})
    assert answer.json() == {"form": [], "files": 1, "names": ["x"]}
