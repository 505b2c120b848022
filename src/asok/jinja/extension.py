"""The Jinja extension: additions to a template's own tags, `{% cache %}`, `{% component %}`."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final

from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup, escape

from asok.jinja import additions, fragment, visitor
from asok.jinja.free_names import free_names

__all__ = ["VERSION", "Tags"]

#: Part of the bytecode cache's key: raise it when templates compile to something else.
VERSION = 4

#: What `{% cache %}` takes by name.
_OPTIONS: Final = ("ttl", "vary", "tags", "stale")


class Tags(Extension):
    """Asok's tags. The environment offers `add_to(source, name, filename)` and `fragments`."""

    tags = {additions.NONCE, additions.CSRF, "cache", "component"}  # noqa: RUF012 (Jinja's name)

    environment: Environment

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        add: Callable[[str, str | None, str | None], str] = self._of_environment("add_to")
        return add(source, name, filename)

    def _of_environment(self, name: str) -> Any:
        # Jinja's way: an extension's settings are attributes of its environment.
        return getattr(self.environment, name)

    def parse(self, parser: Parser) -> nodes.Node:
        token = next(parser.stream)
        if token.value == "cache":
            return self._parse_cache(parser, token.lineno)
        if token.value == "component":
            return self._parse_component(parser, token.lineno)
        method = "nonce_attribute" if token.value == additions.NONCE else "csrf_field"
        return nodes.Output([self.call_method(method, lineno=token.lineno)], lineno=token.lineno)

    def _parse_cache(self, parser: Parser, line: int) -> nodes.Node:
        """`{% cache key ttl, vary=…, tags=…, stale=… %}`, with `ttl=` or without, as any else."""
        key = parser.parse_expression()
        ttl: nodes.Expr = nodes.Const(None, lineno=line)
        options: dict[str, nodes.Expr] = {}
        parser.stream.skip_if("comma")
        if parser.stream.current.type != "block_end" and not _is_option(parser):
            ttl = parser.parse_expression()
        while not parser.stream.current.test("block_end"):
            parser.stream.skip_if("comma")
            if not _is_option(parser):
                parser.fail('write {% cache "key" 300, vary=…, tags=[…], stale=60 %}')
            name = parser.stream.current.value
            if name not in _OPTIONS or name in options:
                parser.fail(f"{{% cache %}} takes {', '.join(_OPTIONS)} once each, not {name}")
            parser.stream.skip(2)
            options[name] = parser.parse_expression()
        ttl = options.pop("ttl", ttl)
        body = parser.parse_statements(("name:endcache",), drop_needle=True)
        # The nodes, for they have no lines: moving a fragment in its file changes nothing.
        source = blake2b(repr(body).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
        first: nodes.Expr = nodes.Const(None, lineno=line)
        if not all(isinstance(part, nodes.Const) for part in (key, *options.values())):
            # Evaluated before the others: it notes what they read.
            first = self.call_method("opened", lineno=line)
        keywords = [nodes.Keyword(name, given, lineno=line) for name, given in options.items()]
        names = free_names(body, (key, *options.values()))
        pairs = [nodes.Pair(nodes.Const(name), nodes.Name(name, "load")) for name in names]
        keywords.append(nodes.Keyword("uses", nodes.Dict(pairs), lineno=line))
        arguments = [first, key, ttl, nodes.Const(source, lineno=line)]
        call = self.call_method("cached", arguments, keywords, lineno=line)
        return nodes.CallBlock(call, [], [], body, lineno=line)

    def _parse_component(self, parser: Parser, line: int) -> nodes.Node:
        """`{% component "Name", prop=… %}slot{% endcomponent %}`."""
        positional: list[nodes.Expr] = [nodes.Name("component", "load", lineno=line)]
        keywords: list[nodes.Keyword] = []
        while parser.stream.current.type != "block_end":
            current = parser.stream.current
            if current.type == "name" and parser.stream.look().type == "assign":
                if current.value in ("caller", "slot"):
                    parser.fail(f"a component can't take {current.value!r}: the body is its slot")
                parser.stream.skip(2)
                value = parser.parse_expression()
                keywords.append(nodes.Keyword(current.value, value, lineno=current.lineno))
            elif keywords:
                parser.fail("a component's values without a name come before those with one")
            else:
                positional.append(parser.parse_expression())
            if parser.stream.current.type != "block_end":
                parser.stream.expect("comma")
        if len(positional) == 1:
            parser.fail('{% component %} needs a name: {% component "Card" %}')
        body = parser.parse_statements(("name:endcomponent",), drop_needle=True)
        call = self.call_method("component", positional, keywords, lineno=line)
        return nodes.CallBlock(call, [], [], body, lineno=line)

    # Called by compiled templates.

    nonce_attribute = staticmethod(visitor.nonce_attribute)
    csrf_field = staticmethod(visitor.csrf_field)

    opened = fragment.Opened

    def cached(
        self,
        opened: fragment.Opened | None,
        key: object,
        ttl: object,
        source: str,
        *,
        caller: Callable[[], str],
        **options: Any,
    ) -> Markup:
        fragments: fragment.Fragments | None = self._of_environment("fragments")
        doubt: bool = self._of_environment("auto_reload")  # while developing
        return fragment.remembered(
            fragments, opened, key, ttl, source, caller, doubt=doubt, **options
        )

    @staticmethod
    def component(
        component: Callable[..., object], /, *names: Any, caller: Callable[[], str], **props: Any
    ) -> Markup:
        slot = Markup(caller())  # noqa: S704 (what a template wrote)
        return escape(component(*names, slot=slot, **props))


def _is_option(parser: Parser) -> bool:
    return parser.stream.current.type == "name" and parser.stream.look().type == "assign"
