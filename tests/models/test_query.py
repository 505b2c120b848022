"""The query builder: conditions, order, groups, aggregates, pages, bulk writes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import joinedload

from asok.errors import ModelError, RecordNotFound, UnknownColumn, UnknownOperator
from asok.models import Database, Query, scope
from asok.models.conditions import OPERATORS

from .shop import Animal, Country, Entry, Keyword, Parcel, Status, Stock, Writer

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def entries() -> None:
    """Entries a (0 views), b (1) … f (5); a to c by Ann; a and b are public."""
    ann = Writer.create(name="Ann")
    for number, slug in enumerate("abcdef"):
        Entry.create(
            slug=slug,
            title=slug.upper(),
            views=number,
            writer_id=ann.id if number < 3 else None,
            status=Status.PUBLIC if number < 2 else Status.DRAFT,
        )


def slugs(query: Query[Entry]) -> str:
    return "".join(query.order_by("id").pluck("slug"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("slug", "b"), "b"),
        (("slug", "=", "b"), "b"),
        (("slug", "==", "b"), "b"),
        (("views", "!=", 3), "abcef"),
        (("views", "<>", 3), "abcef"),
        (("views", "<", 2), "ab"),
        (("views", "<=", 2), "abc"),
        (("views", ">", 3), "ef"),
        (("views", ">=", 3), "def"),
        (("writer_id", None), "def"),
        (("writer_id", "is", None), "def"),
        (("writer_id", "!=", None), "abc"),
        (("writer_id", "IS  NOT", None), "abc"),
        (("title", "like", "B%"), "b"),
        (("title", "not like", "B%"), "acdef"),
        (("title", "ilike", "b%"), "b"),
        (("title", "not ilike", "b%"), "acdef"),
        (("title", "contains", "B"), "b"),
        (("title", "contains", "%"), ""),
        (("title", "contains", "\\"), ""),
        (("title", "not contains", "B"), "acdef"),
        (("title", "starts with", "_"), ""),
        (("title", "ends with", "C"), "c"),
        (("slug", "in", ["a", "f"]), "af"),
        (("slug", "in", []), ""),
        (("slug", "not in", {"a", "f"}), "bcde"),
        (("slug", "not in", ()), "abcdef"),
        (("views", "between", (1, 3)), "bcd"),
        (("views", "not between", [1, 3]), "aef"),
        (("status", Status.PUBLIC), "ab"),
        ((Entry.views > 3,), "ef"),
        ((Entry.views, ">", 3), "ef"),
        (("views", "=", select(func.max(Entry.views)).scalar_subquery()), "f"),
        (("views", ">=", Entry.views), "abcdef"),
        (("slug", "in", select(Entry.slug).where(Entry.views < 1)), "a"),
        ((func.lower(Entry.title), "b"), "b"),
        ((func.lower(Entry.title), "in", ["b", "c"]), "bc"),
        ((Entry.views + 1, ">", 5), "f"),
        ((Entry.views * 2, "between", (2, 4)), "bc"),
        ((Entry.writer.has(Writer.name == "Ann"),), "abc"),
        ((text("views > :least").bindparams(least=3),), "ef"),
    ],
)
def test_every_form_of_a_condition(
    entries: None, arguments: tuple[Any, ...], expected: str
) -> None:
    assert slugs(Entry.where(*arguments)) == expected


def test_the_named_conditions(entries: None) -> None:
    query = Entry.query()
    assert slugs(query.where_in("slug", ["a", "b"])) == "ab"
    assert slugs(query.where_not_in("slug", ["a"])) == "bcdef"
    assert slugs(query.where_null("writer_id")) == "def"
    assert slugs(query.where_not_null("writer_id")) == "abc"
    assert slugs(query.where_between("views", 2, 3)) == "cd"
    assert slugs(query.like("title", "_")) == "abcdef"


def test_and_binds_stronger_than_or(entries: None) -> None:
    query = Entry.where("slug", "a").or_where("views", ">", 2).where("views", "<", 5)
    assert slugs(query) == "ade"
    assert slugs(Entry.query().or_where("slug", "b")) == "b"
    assert slugs(Entry.query().or_where("slug", "b").or_where(Entry.slug == "c")) == "bc"


def test_a_query_never_changes(entries: None) -> None:
    base = Entry.where("views", ">", 1)
    base.where("slug", "f")
    base.order_by("-views").limit(1)
    assert slugs(base) == "cdef"
    assert [post.slug for post in base.order_by("id")] == ["c", "d", "e", "f"]
    assert "SELECT" in repr(base)


@pytest.mark.parametrize(
    "value", ["' OR 1=1 --", "a'; DROP TABLE entries; --", "%", "\\", "%(x)s :y ? $1", "'\"`"]
)
def test_values_are_bound(entries: None, database: Database, value: str) -> None:
    seen: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _k, sql, *_: seen.append(sql))
    query = Entry.query()
    assert query.where("slug", value).or_where("slug", "in", [value]).get() == []
    assert query.where_between("slug", value, value).count() == 0
    assert query.where(func.lower(Entry.slug), value).pluck("slug") == []
    assert query.where("slug", "not contains", value).where_not_in("slug", [value]).count() in (
        0,
        6,
    )
    assert query.where("slug", value).update(title=value) == 0
    assert Entry.update_or_create({"title": value}, slug=value).title == value
    assert query.where("title", "contains", value).count() == 1
    assert query.where("slug", value).cache(60).pluck("title") == [value]
    assert query.where("slug", value).delete() == 1
    assert query.count() == 6
    assert not [sql for sql in seen if value in sql and value not in ("%", "\\")]


@pytest.mark.parametrize("column", ["slgu", "slug; DROP TABLE entries", "entries.slug", "", "save"])
def test_a_column_that_is_not_there_is_refused_wherever_it_is_named(column: str) -> None:
    query = Entry.query()
    for call in (
        lambda: query.where(column, 1),
        lambda: query.or_where(column, 1),
        lambda: query.order_by(column),
        lambda: query.order_by("-" + column),
        lambda: query.group_by(column),
        lambda: query.having(column, 1),
        lambda: query.where_in(column, [1]),
        lambda: query.where_null(column),
        lambda: query.where_between(column, 1, 2),
        lambda: query.like(column, "%"),
        lambda: query.group_by(column).count(),
        lambda: query.pluck(column),
        lambda: query.pluck("id", column),
        lambda: query.sum(column),
        lambda: query.update({column: 1}),
        lambda: query.latest(column or "x"),
        lambda: query.first_or_create({}, **{column: 1}),
    ):
        with pytest.raises(UnknownColumn):
            call()


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(UnknownColumn, match="'slug'"):
        Entry.where("slgu", "x")
    with pytest.raises(UnknownColumn, match="There are: code, name"):
        Country.where("qqqq", "x")
    with pytest.raises(UnknownColumn, match="by a int"):
        Entry.where(3, "x")
    with pytest.raises(UnknownOperator, match=r"'=>' is no operator of where\(\)"):
        Entry.where("views", "=>", 1)
    with pytest.raises(UnknownOperator, match="'between'"):
        Entry.where("views", "betwen", 1)
    for operator in (None, "= 1; DROP TABLE entries; --", "= 1 OR 1", ""):
        with pytest.raises(UnknownOperator):
            Entry.where("views", operator, 1)
    with pytest.raises(UnknownColumn, match="no relation 'writr'. Did you mean 'writer'"):  # noqa: RUF043
        Entry.query().with_("writr")
    with pytest.raises(UnknownColumn, match="Stock has no relations"):
        Stock.query().with_("x")
    with pytest.raises(UnknownColumn, match=r"Entry\.writer is a relation and no column"):
        Entry.where("writer", None)


def test_a_column_of_another_model_is_refused_wherever_it_is_named() -> None:
    query = Entry.query()
    for call in (
        lambda: query.where(Writer.name, "x"),
        lambda: query.order_by(Writer.name),
        lambda: query.group_by(Writer.name),
        lambda: query.pluck(Writer.name),
        lambda: query.sum(Writer.id),
        lambda: query.update({Writer.name: "x"}),  # type: ignore[dict-item]
    ):
        with pytest.raises(UnknownColumn, match=r"Writer\.(name|id) is no column of Entry"):
            call()
    with pytest.raises(UnknownColumn, match="Stock has no relations"):
        Stock.query().with_(Entry.writer)


def test_expressions_stand_wherever_a_column_does(entries: None) -> None:
    low = func.lower(Entry.title)
    assert Entry.query().order_by("id").limit(2).pluck(low) == ["a", "b"]
    assert Entry.query().where("views", "<", 2).pluck("views", low) == {"a": 0, "b": 1}
    assert Entry.query().sum(Entry.views * 2) == 30
    assert Entry.query().group_by(Entry.views > 2).count() == {True: 3, False: 3}
    assert Entry.query().order_by(-Entry.views).limit(1).pluck("slug") == ["f"]
    for _ in range(2):
        assert Entry.query().order_by("id").limit(1).cache(60).pluck(low) == ["a"]
        assert Entry.query().order_by("id").limit(1).cache(60).pluck("title") == ["A"]
        assert Entry.query().cache(60).group_by(low).count()["a"] == 1
        assert Entry.query().cache(60).sum(Entry.views * 3) == 45


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("slug",), "alone"),
        ((), "takes"),
        ((1, 2, 3, 4), "takes"),
        (("views", ">", None), "NULL has no order"),
        (("slug", ["a", "b"]), "where_in"),
        (("slug", "in", "ab"), "needs several values"),
        (("slug", "in", 5), "needs several values"),
        (("slug", "contains", 5), "needs text"),
        (("slug", "contains", Entry.title), "needs text"),
        (("views", "between", (1,)), "needs two values"),
    ],
)
def test_conditions_that_say_nothing_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Entry.where(*arguments)


def test_order_limit_and_offset(entries: None) -> None:
    query = Entry.query()
    assert query.order_by("-views").limit(2).pluck("slug") == ["f", "e"]
    assert query.order_by("-status", "-views").first_or_fail().slug in "bf"
    assert query.order_by(Entry.views.desc()).limit(2).offset(1).pluck("slug") == ["e", "d"]
    assert query.order_by(Entry.views).limit(1).pluck(Entry.slug) == ["a"]
    assert query.latest("views").first_or_fail().slug == "f"
    assert query.oldest("views").first_or_fail().slug == "a"
    assert query.latest().first_or_fail().slug == "f"
    assert query.limit(0).get() == []
    Stock.create(shelf=1, place=1)
    Stock.create(shelf=1, place=2)
    assert [row.place for row in Stock.query().latest()] == [2, 1]
    for wrong in (-1, "3", True, 2**63, 1.5):
        with pytest.raises(ModelError, match="limit must be a number from 0"):
            query.limit(wrong)  # pyright: ignore[reportArgumentType]


def test_first_and_find_within_conditions(entries: None) -> None:
    assert Entry.query().first_or_fail().slug == "a"
    assert Entry.where("slug", "x").first() is None
    with pytest.raises(RecordNotFound, match="no Entry fits"):
        Entry.where("slug", "x").first_or_fail()
    assert Entry.where("views", ">", 3).find(1) is None
    assert Entry.where("views", "<", 3).find(1) is not None


def test_aggregates(entries: None) -> None:
    query = Entry.query()
    assert query.count() == 6
    assert type(query.sum("views")) is int
    assert query.sum("views") == 15
    assert query.avg("views") == 2.5
    assert type(query.avg("views")) is float
    assert (query.min("views"), query.max("slug")) == (0, "f")
    nothing = Entry.where("slug", "x")
    assert nothing.count() == 0
    assert nothing.sum("views") == 0
    assert nothing.avg("views") is None
    assert nothing.max("views") is None
    assert query.exists()
    assert not nothing.exists()


def test_aggregates_over_a_limited_query_count_what_it_returns(entries: None) -> None:
    query = Entry.query().order_by("-views").limit(2)
    assert query.count() == 2
    assert query.sum("views") == 9
    assert query.offset(5).count() == 1


def test_groups(entries: None) -> None:
    query = Entry.query()
    assert query.group_by("status").count() == {Status.PUBLIC: 2, Status.DRAFT: 4}
    assert query.group_by("status").sum("views") == {Status.PUBLIC: 1, Status.DRAFT: 14}
    pairs = query.where("views", "<", 3).group_by("status", "writer_id").max("views")
    assert pairs == {(Status.PUBLIC, 1): 1, (Status.DRAFT, 1): 2}
    grouped = query.group_by("status")
    few = grouped.having(func.count(), "<", 3)
    assert few.count() == {Status.PUBLIC: 2}
    assert few.having("status", Status.DRAFT).count() == {}
    for _ in range(2):
        assert few.cache(60).count() == {Status.PUBLIC: 2}
        assert grouped.cache(60).having("status", Status.DRAFT).count() == {Status.DRAFT: 4}
    for ending in (
        grouped.first,
        grouped.exists,
        grouped.paginate,
        lambda: grouped.pluck("slug"),
        query.having("views", 3).get,
    ):
        with pytest.raises(ModelError, match="no one row for a group"):
            ending()
    with pytest.raises(ModelError, match="without groups"):
        query.having("views", 3).count()
    with pytest.raises(ModelError, match="groups"):
        query.having("views", 3).delete()
    with pytest.raises(ModelError, match="can't have a limit"):
        query.group_by("status").limit(1).count()
    with pytest.raises(ModelError, match="groups"):
        query.group_by("status").delete()


def test_decimals_keep_their_type() -> None:
    Parcel.create(price="1.50")
    Parcel.create(price="2.25")
    assert str(Parcel.query().sum("price")) == "3.75"


def test_pluck_by_key(entries: None) -> None:
    assert Entry.where("views", "<", 2).pluck("title", "slug") == {"a": "A", "b": "B"}


def test_pages(entries: None) -> None:
    page = Entry.query().paginate(2, 4)
    assert [post.slug for post in page] == ["e", "f"]
    assert (page.total, page.page, page.pages, len(page), bool(page)) == (6, 2, 2, 2, True)
    assert (page.has_next, page.has_previous, page.next_page, page.previous_page) == (
        False,
        True,
        None,
        1,
    )
    first = Entry.query().order_by("-views").paginate(per_page=4)
    assert [post.slug for post in first.items] == ["f", "e", "d", "c"]
    assert (first.next_page, first.previous_page) == (2, None)
    assert first.to_dict()["items"][0]["slug"] == "f"
    beyond = Entry.query().paginate(9**30, 4)
    assert not beyond
    assert beyond.previous_page == 2
    assert Entry.query().paginate(-5, 4).page == 1
    assert Entry.where("slug", "x").paginate().pages == 1
    with pytest.raises(ModelError, match=r"the page '2'.*int"):
        Entry.query().paginate("2")  # type: ignore[arg-type]


def test_relations_are_loaded_with_the_rows(entries: None) -> None:
    a, *_ = Entry.query().with_("writer").order_by("id").get()
    assert a.writer is not None
    assert a.writer.name == "Ann"
    (ann,) = Writer.query().with_("entries.writer", "entries.keywords").get()
    assert [post.slug for post in ann.entries if post.writer is ann] == ["a", "b", "c"]
    assert Entry.query().with_(joinedload(Entry.writer)).first_or_fail().writer is not None
    assert Entry.query().with_(Entry.writer).first_or_fail().writer is not None


def test_bulk_update_and_delete(entries: None) -> None:
    assert Entry.where("views", ">", 3).update(title="many") == 2
    assert Entry.where("title", "many").update({"views": Entry.views + 10}) == 2
    assert Entry.query().order_by("id").pluck("views") == [0, 1, 2, 3, 14, 15]
    assert Entry.where("title", "like", "ma%").delete() == 2
    assert Entry.where("slug", "x").delete() == 0
    with pytest.raises(ModelError, match="nothing to set"):
        Entry.query().update()
    with pytest.raises(ModelError, match="limit"):
        Entry.query().limit(1).update(views=0)
    assert Entry.query().delete() == 4


def test_rows_in_a_scope_follow_a_bulk_update(entries: None) -> None:
    with scope():
        post = Entry.find_or_fail(1)
        Entry.where("slug", "a").update(views=99)
        assert post.views == 99
        Entry.where("title", "like", "A%").update(views=Entry.views + 1)
        assert post.refresh().views == 100


def test_a_query_goes_on_in_sqlalchemy(entries: None) -> None:
    statement = Entry.where("views", ">", 2).statement.where(Entry.views < 5)
    with Entry.transaction() as session:
        assert [post.slug for post in session.scalars(statement)] == ["d", "e"]


def test_every_operator_is_in_the_documentation_of_where() -> None:
    text = Query.where.__doc__ or ""
    for operator in OPERATORS:
        word = operator.removeprefix("not ").removesuffix(" not")
        assert word in text or operator in ("==", "<>"), operator


def test_models_of_one_table_share_it() -> None:
    Animal.create(name="Tom")
    Keyword.create(name="x")
    assert Animal.query().count() == Keyword.query().count() == 1
