"""Vite's development server: whether it answers, and the tags that load sources from it.

https://vite.dev/guide/backend-integration says which tags a page needs.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from asok.assets import names
from asok.assets.files import locate
from asok.assets.markup import tag
from asok.assets.media import media_type

__all__ = ["ViteServer"]

#: Seconds; it runs on the machine of whoever develops.
_PATIENCE = 0.3
#: What https://github.com/vitejs/vite-plugin-react asks of pages that Vite does not serve.
_REACT = """
import RefreshRuntime from "{url}/@react-refresh"
RefreshRuntime.injectIntoGlobalHook(window)
window.$RefreshReg$ = () => {{}}
window.$RefreshSig$ = () => (type) => type
window.__vite_plugin_react_preamble_installed__ = true
"""


class ViteServer:
    """The server at `url` (`http://localhost:5173`) for the sources below `root`.

    `url` ends with Vite's `base` where that is a path, without the slash at its end.
    """

    def __init__(self, url: str, root: Path) -> None:
        self.url = url
        self._root = root.resolve()
        parts = urlsplit(url)
        default = 443 if parts.scheme == "https" else 80
        self._place = (parts.hostname or "localhost", parts.port or default)

    def answers(self) -> bool:
        """Return whether it runs now. While it doesn't, what Vite has built is used."""
        try:
            socket.create_connection(self._place, _PATIENCE).close()
        except OSError:
            return False
        return True

    def has(self, name: str) -> bool:
        """Return whether `name` is one of the sources."""
        return names.is_public(name) and locate(self._root, name) is not None

    def address(self, name: str) -> str:
        """Return the URL of the source `name`."""
        return f"{self.url}/{names.quoted(name)}"

    def tags(self, sources: Sequence[str], *, nonce: str = "", react: bool = False) -> str:
        """Return the tags of a page that loads `sources`, Vite's client first.

        `nonce` is the attribute with the page's, ` nonce="…"`, which Vite gives to the styles
        that it puts into it. `react` says that React's components are to be replaced as they
        are edited.
        """
        written: list[str] = []
        if nonce:
            written.append(f'<meta property="csp-nonce"{nonce}>')
        if react:
            written.append(f"<script{nonce} type=module>{_REACT.format(url=self.url)}</script>")
        for name in ("@vite/client", *sources):
            url = self.address(name)
            if media_type(name).startswith("text/css"):
                written.append(tag("link", rel="stylesheet", href=url))
            else:
                written.append(tag("script", type="module", src=url) + "</script>")
        return "\n".join(written)
