"""The development panel: what a page's request and its live calls did, shown in the page itself.

`asok dev` appends two scripts to each page. The second (`dev.js`) keeps a socket open; the first
(`panel/tap.js`) runs before the page's own modules, sees the frames of live components, and asks
over that socket what the server knows of this page:

```
request ── Visit ── Work     told by `asok.observing`: statements, cache, repeated queries
live    ──┘     └── Work     the same of its live calls, over WebSocket and over HTTP POST
```

Production has none of it: nothing is appended, and caches and engines are made that tell nobody.
"""
