"""What works less well without a server, seen from the finished pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from asok.export.report import ExportReport
from asok.pages.links import Answer, LinkCheck
from asok.pages.outline import Outline, candidates

__all__ = ["explain_links", "explain_page"]

_SERVER = "/asok/"


def explain_page(path: str, body: bytes, report: ExportReport, *, flat: bool) -> None:
    """Say what of the page needs a server: its forms, and links that a host moves."""
    lower = body.lower()
    if b"<form" in lower and b"post" in lower:
        posts = [link.value for link in Outline(body).links() if link.method == "POST"]
        for action in dict.fromkeys(posts):
            if not urlsplit(action).netloc:
                report.lack("reduced", path, "form", f"POST {action} needs a server")
    if not flat and not path.endswith("/"):
        # A host answers /a/b with /a/b/, so a relative link begins one folder further down.
        moved = [value for value in candidates(body) if _is_relative(value)]
        if moved:
            written = {link.value for link in Outline(body).links()}
            for value in sorted(written.intersection(moved)):
                report.lack(
                    "reduced",
                    path,
                    "relative link",
                    f"{value} leads elsewhere from {path}/; begin it with /, or use --flat",
                )


def _is_relative(value: str) -> bool:
    if not value or value[0] in "/#?":
        return False
    parts = urlsplit(value)
    return not parts.scheme and not parts.netloc


def explain_links(
    documents: Mapping[str, bytes],
    answers: Callable[[str], bool],
    report: ExportReport,
    *,
    mount: str,
    origin: str,
) -> None:
    """Say which links lead to what is not in the export; `documents` are pages by path."""

    def ask(path: str, method: str) -> Answer:
        if method != "GET" or path.startswith(_SERVER) or answers(path):
            return Answer()
        return Answer("it is not in the export")

    check = LinkCheck(ask, mount=mount, origin=origin)
    for path, body in documents.items():
        check.add(path, candidates(body))
    pages: dict[tuple[str, str], list[str]] = {}
    for broken in check.finish(documents.__getitem__):
        pages.setdefault((broken.link.value, broken.problem), []).append(broken.page)
    for (value, problem), users in pages.items():
        more = f" and {len(users) - 1} more" if len(users) > 1 else ""
        report.lack("reduced", value, "link", f"{problem} (on {users[0]}{more})")
