"""Tet: parts for Pyramid applications, each taken in with `config.include`.

`tet.static` gives static files cache-broken URLs, `tet.config` makes an application out of
one function, `tet.renderers.tonnikala` renders `.tk` templates.
"""
