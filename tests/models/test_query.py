"""The query builder: conditions, order, groups, aggregates, pages, bulk writes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from asok.errors import ModelError, RecordNotFound, UnknownColumn, UnknownOperator
from asok.models import Query, scope
from asok.models.conditions import OPERATORS

from .shop import Animal, Author, Country, Parcel, Post, Status, Stock, Tag

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def posts() -> None:
    """Posts a (0 views), b (1) … f (5); a to c by Ann; a and b are public."""
    ann = Author.create(name="Ann")
    for number, slug in enumerate("abcdef"):
        Post.create(
            slug=slug,
            title=slug.upper(),
            views=number,
            author_id=ann.id if number < 3 else None,
            status=Status.PUBLIC if number < 2 else Status.DRAFT,
        )


def slugs(query: Query[Post]) -> str:
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
        (("author_id", None), "def"),
        (("author_id", "is", None), "def"),
        (("author_id", "!=", None), "abc"),
        (("author_id", "IS  NOT", None), "abc"),
        (("title", "like", "B%"), "b"),
        (("title", "not like", "B%"), "acdef"),
        (("title", "ilike", "b%"), "b"),
        (("title", "not ilike", "b%"), "acdef"),
        (("slug", "in", ["a", "f"]), "af"),
        (("slug", "in", []), ""),
        (("slug", "not in", {"a", "f"}), "bcde"),
        (("slug", "not in", ()), "abcdef"),
        (("views", "between", (1, 3)), "bcd"),
        (("views", "not between", [1, 3]), "aef"),
        (("status", Status.PUBLIC), "ab"),
        ((Post.views > 3,), "ef"),
        ((Post.views, ">", 3), "ef"),
        (("views", "=", select(func.max(Post.views)).scalar_subquery()), "f"),
        (("views", ">=", Post.views), "abcdef"),
        (("slug", "in", select(Post.slug).where(Post.views < 1)), "a"),
    ],
)
def test_every_form_of_a_condition(posts: None, arguments: tuple[Any, ...], expected: str) -> None:
    assert slugs(Post.where(*arguments)) == expected


def test_the_named_conditions(posts: None) -> None:
    query = Post.query()
    assert slugs(query.where_in("slug", ["a", "b"])) == "ab"
    assert slugs(query.where_not_in("slug", ["a"])) == "bcdef"
    assert slugs(query.where_null("author_id")) == "def"
    assert slugs(query.where_not_null("author_id")) == "abc"
    assert slugs(query.where_between("views", 2, 3)) == "cd"
    assert slugs(query.like("title", "_")) == "abcdef"


def test_and_binds_stronger_than_or(posts: None) -> None:
    query = Post.where("slug", "a").or_where("views", ">", 2).where("views", "<", 5)
    assert slugs(query) == "ade"
    assert slugs(Post.query().or_where("slug", "b")) == "b"
    assert slugs(Post.query().or_where("slug", "b").or_where(Post.slug == "c")) == "bc"


def test_a_query_never_changes(posts: None) -> None:
    base = Post.where("views", ">", 1)
    base.where("slug", "f")
    base.order_by("-views").limit(1)
    assert slugs(base) == "cdef"
    assert [post.slug for post in base.order_by("id")] == ["c", "d", "e", "f"]
    assert "SELECT" in repr(base)


@pytest.mark.parametrize("value", ["' OR 1=1 --", "a'; DROP TABLE posts; --", "%", "\\"])
def test_values_are_bound(posts: None, value: str) -> None:
    assert Post.where("slug", value).get() == []
    assert Post.where("slug", "in", [value]).get() == []
    assert Post.query().count() == 6


@pytest.mark.parametrize("column", ["slgu", "slug; DROP TABLE posts", "posts.slug", "", "save"])
def test_a_column_that_is_not_there_is_refused_wherever_it_is_named(column: str) -> None:
    query = Post.query()
    for call in (
        lambda: query.where(column, 1),
        lambda: query.or_where(column, 1),
        lambda: query.order_by(column),
        lambda: query.order_by("-" + column),
        lambda: query.group_by(column),
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
        Post.where("slgu", "x")
    with pytest.raises(UnknownColumn, match="There are: code, name"):
        Country.where("qqqq", "x")
    with pytest.raises(UnknownColumn, match="by a int"):
        Post.where(3, "x")
    with pytest.raises(UnknownOperator, match=r"'=>' is no operator of where\(\)"):
        Post.where("views", "=>", 1)
    with pytest.raises(UnknownOperator, match="'between'"):
        Post.where("views", "betwen", 1)
    with pytest.raises(UnknownOperator):
        Post.where("views", None, 1)
    with pytest.raises(UnknownColumn, match="no relation 'autor'. Did you mean 'author'"):  # noqa: RUF043
        Post.query().with_("autor")
    with pytest.raises(UnknownColumn, match="Stock has no relations"):
        Stock.query().with_("x")


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
        (("views", "between", (1,)), "needs two values"),
    ],
)
def test_conditions_that_say_nothing_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Post.where(*arguments)


def test_order_limit_and_offset(posts: None) -> None:
    query = Post.query()
    assert query.order_by("-views").limit(2).pluck("slug") == ["f", "e"]
    assert query.order_by("-status", "-views").first_or_fail().slug in "bf"
    assert query.order_by(Post.views.desc()).limit(2).offset(1).pluck("slug") == ["e", "d"]
    assert query.order_by(Post.views).limit(1).pluck(Post.slug) == ["a"]
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


def test_first_and_find_within_conditions(posts: None) -> None:
    assert Post.query().first_or_fail().slug == "a"
    assert Post.where("slug", "x").first() is None
    with pytest.raises(RecordNotFound, match="no Post fits"):
        Post.where("slug", "x").first_or_fail()
    assert Post.where("views", ">", 3).find(1) is None
    assert Post.where("views", "<", 3).find(1) is not None


def test_aggregates(posts: None) -> None:
    query = Post.query()
    assert query.count() == 6
    assert type(query.sum("views")) is int
    assert query.sum("views") == 15
    assert query.avg("views") == 2.5
    assert type(query.avg("views")) is float
    assert (query.min("views"), query.max("slug")) == (0, "f")
    nothing = Post.where("slug", "x")
    assert nothing.count() == 0
    assert nothing.sum("views") == 0
    assert nothing.avg("views") is None
    assert nothing.max("views") is None
    assert query.exists()
    assert not nothing.exists()


def test_aggregates_over_a_limited_query_count_what_it_returns(posts: None) -> None:
    query = Post.query().order_by("-views").limit(2)
    assert query.count() == 2
    assert query.sum("views") == 9
    assert query.offset(5).count() == 1


def test_groups(posts: None) -> None:
    query = Post.query()
    assert query.group_by("status").count() == {Status.PUBLIC: 2, Status.DRAFT: 4}
    assert query.group_by("status").sum("views") == {Status.PUBLIC: 1, Status.DRAFT: 14}
    pairs = query.where("views", "<", 3).group_by("status", "author_id").max("views")
    assert pairs == {(Status.PUBLIC, 1): 1, (Status.DRAFT, 1): 2}
    with pytest.raises(ModelError, match="no one row for a group"):
        query.group_by("status").get()
    with pytest.raises(ModelError, match="can't have a limit"):
        query.group_by("status").limit(1).count()
    with pytest.raises(ModelError, match="groups"):
        query.group_by("status").delete()


def test_decimals_keep_their_type() -> None:
    Parcel.create(price="1.50")
    Parcel.create(price="2.25")
    assert str(Parcel.query().sum("price")) == "3.75"


def test_pluck_by_key(posts: None) -> None:
    assert Post.where("views", "<", 2).pluck("title", "slug") == {"a": "A", "b": "B"}


def test_pages(posts: None) -> None:
    page = Post.query().paginate(2, 4)
    assert [post.slug for post in page] == ["e", "f"]
    assert (page.total, page.page, page.pages, len(page), bool(page)) == (6, 2, 2, 2, True)
    assert (page.has_next, page.has_previous, page.next_page, page.previous_page) == (
        False,
        True,
        None,
        1,
    )
    first = Post.query().order_by("-views").paginate(per_page=4)
    assert [post.slug for post in first.items] == ["f", "e", "d", "c"]
    assert (first.next_page, first.previous_page) == (2, None)
    assert first.to_dict()["items"][0]["slug"] == "f"
    beyond = Post.query().paginate(9**30, 4)
    assert not beyond
    assert beyond.previous_page == 2
    assert Post.query().paginate(-5, 4).page == 1
    assert Post.where("slug", "x").paginate().pages == 1


def test_relations_are_loaded_with_the_rows(posts: None) -> None:
    a, *_ = Post.query().with_("author").order_by("id").get()
    assert a.author is not None
    assert a.author.name == "Ann"
    (ann,) = Author.query().with_("posts.author", "posts.tags").get()
    assert [post.slug for post in ann.posts if post.author is ann] == ["a", "b", "c"]
    assert Post.query().with_(joinedload(Post.author)).first_or_fail().author is not None
    assert Post.query().with_(Post.author).first_or_fail().author is not None


def test_bulk_update_and_delete(posts: None) -> None:
    assert Post.where("views", ">", 3).update(title="many") == 2
    assert Post.where("title", "many").update({"views": Post.views + 10}) == 2
    assert Post.query().order_by("id").pluck("views") == [0, 1, 2, 3, 14, 15]
    assert Post.where("title", "like", "ma%").delete() == 2
    assert Post.where("slug", "x").delete() == 0
    with pytest.raises(ModelError, match="nothing to set"):
        Post.query().update()
    with pytest.raises(ModelError, match="limit"):
        Post.query().limit(1).update(views=0)
    assert Post.query().delete() == 4


def test_rows_in_a_scope_follow_a_bulk_update(posts: None) -> None:
    with scope():
        post = Post.find_or_fail(1)
        Post.where("slug", "a").update(views=99)
        assert post.views == 99
        Post.where("title", "like", "A%").update(views=Post.views + 1)
        assert post.refresh().views == 100


def test_a_query_goes_on_in_sqlalchemy(posts: None) -> None:
    statement = Post.where("views", ">", 2).statement.where(Post.views < 5)
    with Post.transaction() as session:
        assert [post.slug for post in session.scalars(statement)] == ["d", "e"]


def test_every_operator_is_in_the_documentation_of_where() -> None:
    text = Query.where.__doc__ or ""
    for operator in OPERATORS:
        word = operator.removeprefix("not ").removesuffix(" not")
        assert word in text or operator in ("==", "<>"), operator


def test_models_of_one_table_share_it() -> None:
    Animal.create(name="Tom")
    Tag.create(name="x")
    assert Animal.query().count() == Tag.query().count() == 1
