"""Follows a template's HTML through its Jinja statements and finds the tags in it.

Every branch is read from the state before it, and what follows from the state in which
all of them end; where they end in different places the template is refused. A block that
overrides one of the parent template begins in the state that it has there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn

from asok.jinja import html
from asok.jinja.pieces import Output, Piece, Statement, Text
from asok.jinja.state import Different, Mode, State, Unreadable, joined
from asok.jinja.tag import DYNAMIC, Tag

__all__ = ["FoundTag", "Structure", "read"]


@dataclass(frozen=True, slots=True)
class FoundTag:
    """A tag with the offset behind its `>`, and the state in which its `<` was met."""

    tag: Tag
    end: int
    state: State


@dataclass(slots=True)
class Structure:
    """What was found: tags in source order, the states in which blocks begin, and the
    identifiers that outputs and statements use, with their offsets."""

    tags: dict[tuple[int, int], FoundTag] = field(default_factory=dict[tuple[int, int], FoundTag])
    blocks: dict[str, State] = field(default_factory=dict[str, State])
    names: list[tuple[int, frozenset[str]]] = field(
        default_factory=list[tuple[int, frozenset[str]]]
    )


#: Filters that leave markup markup; what others make of a tag is not known here.
_KEEPING: Final = frozenset({"indent", "safe", "trim"})
_CONTENT: Final = frozenset({Mode.DATA, Mode.RAW_TEXT})
_QUOTED: Final = frozenset(
    {Mode.DOUBLE_QUOTED, Mode.SINGLE_QUOTED, Mode.COMMENT, Mode.CDATA, Mode.PLAINTEXT}
)
_START: Final = State()
#: What would end the place in which a body is written whose own markup is not read.
_ENDS: Final = {
    Mode.DOUBLE_QUOTED: ('"',),
    Mode.SINGLE_QUOTED: ("'",),
    Mode.COMMENT: ("-->", "--!>"),
    Mode.CDATA: ("]]>",),
    # Anywhere else in a tag, and in markup that begins with <! or <?.
    **dict.fromkeys(set(Mode) - _CONTENT - _QUOTED, (">",)),
}


def read(
    source_pieces: Iterable[Piece], inherited: Callable[[str], Mapping[str, State]]
) -> Structure:
    """Return the structure of a template.

    `inherited` gives the states in which the blocks of a parent template begin, by block,
    for the name written in `{% extends %}`. Raises `Unreadable`.
    """
    found = list(source_pieces)
    extends = next((p for p in found if isinstance(p, Statement) and p.keyword == "extends"), None)
    blocks: Mapping[str, State] | None = None
    if extends is not None:
        kind, text = extends.argument
        literal = kind == "string" and len(extends.tokens) == 2
        blocks = inherited(text[1:-1]) if literal else {}
    return _Reader(found, blocks).read()


class _Reader:
    """Walks the pieces once; `parent` holds the parent's blocks, None without a parent."""

    def __init__(self, found: list[Piece], parent: Mapping[str, State] | None) -> None:
        self.pieces = found
        self.at = 0
        self.parent = parent
        self.structure = Structure()
        self.quiet = 0
        """How many enclosing bodies are filtered into something that may be no markup."""
        self.ends: tuple[str, ...] = ()
        """What may not stand in those bodies: it would end the value or comment around them."""
        self.silent = False
        """Whether text outside blocks is not written: behind `{% extends %}`."""

    def read(self) -> Structure:
        state, _ = self.until(_START, None)
        if state.mode not in (Mode.DATA, Mode.PLAINTEXT):
            raise Unreadable(
                f"the template ends inside {state.place}",
                state.since if state.tag is None else state.tag.start,
                "Close it in this template.",
            )
        if self.parent is not None:
            self.structure.blocks = {**self.parent, **self.structure.blocks}
        return self.structure

    def seen(self, state: State, tag: Tag, end: int) -> None:
        self.structure.tags[tag.start, end] = FoundTag(tag, end, state)

    def until(self, state: State, opened: Statement | None, *ends: str) -> tuple[State, Statement]:
        """Read up to one of the statements `ends` that belong to `opened`."""
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            self.at += 1
            if isinstance(piece, Text):
                self.stays_within(piece)
                if self.quiet or (self.silent and opened is None):
                    continue
                state = html.feed(state, piece.text, piece.offset, raw=piece.raw, seen=self.seen)
                continue
            self.structure.names.append((piece.offset, piece.names))
            if isinstance(piece, Output):
                state = html.dynamic(state, piece.offset, asset=piece.asset)
            elif piece.keyword in ends:
                return state, piece
            elif piece.keyword == "extends":
                self.silent = self.silent or opened is None
            elif piece.keyword in ("else", "elif") or piece.keyword.startswith("end"):
                self.misplaced(piece, opened, ends)
            else:
                state = self.statement(state, piece)
        if opened is None:
            return state, Statement(0, "", frozenset(), ())
        raise Unreadable(
            f"{{% {opened.keyword} %}} is never closed",
            opened.offset,
            f"Write {{% {ends[-1]} %}} where it ends.",
        )

    def stays_within(self, piece: Text) -> None:
        """Refuse what leaves the place that a body of another is written into."""
        for end in self.ends:
            at = piece.text.find(end)
            if at >= 0:
                raise Unreadable(
                    f"got {end} inside a statement, which ends the tag, value or comment around it",
                    piece.offset + at,
                    "Write the statement before the tag, and its value with {{ … }} into it.",
                )

    def misplaced(
        self, piece: Statement, opened: Statement | None, ends: tuple[str, ...]
    ) -> NoReturn:
        if opened is None:
            raise Unreadable(f"{{% {piece.keyword} %}} closes nothing", piece.offset, "Remove it.")
        raise Unreadable(
            f"got {{% {piece.keyword} %}} inside {{% {opened.keyword} %}}",
            piece.offset,
            f"Expected {' or '.join(f'{{% {end} %}}' for end in ends)} before it.",
        )

    def statement(self, state: State, piece: Statement) -> State:
        match piece.keyword:
            case "if":
                return self.branches(state, piece)
            case "for":
                return self.loop(state, piece)
            case "block":
                return self.block(state, piece)
            case "filter":
                self.aside(state, piece)
                return self.written(state, piece)
            case "macro":
                self.aside(replace(state, forms=_START.forms), piece)
                return state
            case "set":
                if not piece.assigns:
                    self.aside(state, piece)
                return state
            case "call" | "component":
                self.aside(state, piece)
                return self.written(state, piece)
            case "with" | "autoescape":
                inner, _ = self.until(state, piece, f"end{piece.keyword}")
                return inner
            case "cache":
                inner, _ = self.until(state, piece, "endcache")
                return self.same(state, inner, piece)
            case "include":
                return self.written(state, piece)
            case _:
                return state

    def written(self, state: State, piece: Statement) -> State:
        """The state behind a statement that writes something of its own."""
        return state if state.tag is None else html.dynamic(state, piece.offset)

    def join(self, one: State, other: State, what: str, offset: int, fix: str) -> State:
        try:
            return joined(one, other)
        except Different:
            raise Unreadable(
                f"{what}: one way ends in {one.place}, another in {other.place}", offset, fix
            ) from None

    def branches(self, start: State, piece: Statement) -> State:
        ends: list[State] = []
        complete = False
        stop = piece
        while stop.keyword != "endif":
            complete = stop.keyword == "else"
            wanted = ("endif",) if complete else ("elif", "else", "endif")
            end, stop = self.until(start, piece, *wanted)
            ends.append(end)
        if not complete:
            ends.append(start)
        state = ends[0]
        for end in ends[1:]:
            state = self.join(
                state,
                end,
                "the branches of {% if %} leave different places of the HTML",
                piece.offset,
                "Open and close tags, quotes and comments in the same branch.",
            )
        return state

    def loop(self, start: State, piece: Statement) -> State:
        what = "the body of {% for %} does not end where it began in the HTML"
        fix = "Open and close tags, quotes and comments inside one round of the loop."
        body = self.at
        end, stop = self.until(start, piece, "else", "endfor")
        state = self.join(start, end, what, piece.offset, fix)
        if state != start:
            # A later round begins where the first one ended.
            state = self.unbounded(state)
            self.at = body
            end, stop = self.until(state, piece, "else", "endfor")
            state = self.unbounded(self.join(state, end, what, piece.offset, fix))
        if stop.keyword == "else":
            other, _ = self.until(start, piece, "endfor")
            state = self.join(state, other, what, piece.offset, fix)
        return state

    def unbounded(self, state: State) -> State:
        """The state behind any number of rounds: a value may have been continued."""
        tag = state.tag
        if tag is None:
            return state
        longer = tag.add(DYNAMIC).value
        return replace(state, tag=replace(tag, value=tag.value | longer).joined(tag))

    def aside(self, state: State, piece: Statement) -> None:
        """Read a body that is written elsewhere, or changed before it is written."""
        start = state if state.mode in _CONTENT else _START
        # What is written into an attribute or a comment is no markup of this page.
        quiet = state.mode not in _CONTENT or not _KEEPING.issuperset(piece.filters)
        around = self.ends
        self.ends += _ENDS.get(state.mode, ())
        self.quiet += quiet
        end, _ = self.until(start, piece, f"end{piece.keyword}")
        self.quiet -= quiet
        self.ends = around
        self.same(start, end, piece)

    def same(self, start: State, end: State, piece: Statement) -> State:
        return self.join(
            start,
            end,
            f"the body of {{% {piece.keyword} %}} does not end where it began in the HTML",
            piece.offset,
            "Close inside it what it opens. Text that is no HTML belongs into a file that is "
            "not named .html, such as macros.js.",
        )

    def block(self, state: State, piece: Statement) -> State:
        name = piece.argument[1]
        start = state if self.parent is None else self.parent.get(name, state)
        self.structure.blocks[name] = _elsewhere(start)
        end, _ = self.until(start, piece, "endblock")
        after = self.same(start, end, piece)
        if self.parent is not None and name in self.parent:
            return state
        # A child template may write anything in its place.
        return self.written(after, piece)


def _elsewhere(state: State) -> State:
    """`state` without what belongs to one template's source."""
    tag = state.tag
    if tag is not None:
        tag = Tag(0, DYNAMIC, closing=tag.closing, attribute=tag.attribute and DYNAMIC)
    return replace(state, tag=tag, forms=_START.forms, since=0)
