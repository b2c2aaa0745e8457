"""One rule of text equality, written twice: for the residual engine and for the sandbox's service."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import product

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqlalchemy_dynamics.execute.engine import EngineOptions, Workspace, open_workspace
from sqlalchemy_dynamics.execute.texts import as_carried, as_stored
from sqlalchemy_dynamics.planner.text_rule import AGREED, fold, is_plain, key, stored
from sqlalchemy_dynamics.sandbox import values as service

EQUAL = [
    ["a", "A", "á", "Á", "a ", "A  ", "a\u0301", "a\u0301 ", "a \u0301"],
    ["ss", "SS", "ß", "ẞ", "ß ", "ſs", "S\u0301s"],
    ["Straße", "STRASSE", "straſſe", "Strässe ".replace("ä", "a"), "STRAẞE"],
    ["ΣΑΣ", "σας", "σασ", "σάς ", "ΣΆΣ"],
    ["office", "oﬃce", "OFFICE "],
    ["が", "か", "か\u3099"],
    ["가", "\u1100\u1161"],
    ["", " ", "   ", "\u0301", " \u0301 "],
    [" a"],
    ["a b", "Á  B".replace("  ", " ")],
    ["a\u00a0"],
    ["ａ"],
    ["कमल", "कमल "],
    ["कमला"],
    ["กา"],
    ["กิ"],
    ["❤"],
    ["❤\ufe0f"],
    ["Ꭰ", "ꭰ"],
    ["æ", "Æ"],
    ["ae"],
    ["ı"],
    ["i", "İ", "I"],
    ["O'Brien", "o'brien"],
    ["OBrien"],
]
PAIRS = [
    (one, other, row == line)
    for (row, ones), (line, others) in product(enumerate(EQUAL), repeat=2)
    for one, other in product(ones, others)
]
LETTERS = st.sampled_from("aAáßẞsSςσΣſﬁfiİıµμ 　\u00a0\u0301\u0345\u0308か\u3099कीाกิ가❤\ufe0fᎠŉஔ日\u034f-'_")
TEXTS = st.text(LETTERS, max_size=5) | st.text(st.characters(exclude_categories=["Cs", "Cn", "Co", "Cc"]), max_size=4)
QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def engine() -> Iterator[Workspace]:
    workspace = open_workspace(EngineOptions())
    yield workspace
    workspace.close()


def _ask(engine: Workspace, sql: str, **columns: list[str]) -> list[tuple[object, ...]]:
    engine.put("given", pyarrow.table(columns))
    return list(engine.bind(sql, None).fetchall())


def _equal(engine: Workspace, pairs: list[tuple[str, str]]) -> list[tuple[object, ...]]:
    """Whether the engine finds the texts of each pair equal, by `=` and by the rank of their order."""
    ones, others = (list(side) for side in zip(*pairs, strict=True))
    sql = """
        SELECT p.a = p.b, one.place = other.place FROM (
            SELECT text_carried(a) COLLATE nocase.noaccent AS a, text_carried(b) COLLATE nocase.noaccent AS b, i
            FROM given) p
        JOIN ranks one ON one.i = p.i JOIN ranks other ON other.i = p.i + (SELECT count(*) FROM given) ORDER BY p.i"""
    with_ranks = f"""
        WITH texts AS (SELECT a AS t, i FROM given UNION ALL SELECT b, i + (SELECT count(*) FROM given) FROM given),
        ranks AS (SELECT rank() OVER (ORDER BY text_carried(t)) AS place, i FROM texts) {sql}"""
    engine.put("given", pyarrow.table({"a": ones, "b": others, "i": list(range(len(pairs)))}))
    return list(engine.bind(with_ranks, None).fetchall())


@pytest.mark.parametrize("written", [key, service.fold, service.collate], ids=["engine", "service", "service's order"])
def test_the_pairs_in_python(written: object) -> None:
    assert callable(written)
    for one, other, equal in PAIRS:
        assert (written(one) == written(other)) is equal, (ascii(one), ascii(other))


def test_the_pairs_in_the_engine(engine: Workspace) -> None:
    found = _equal(engine, [(one, other) for one, other, _ in PAIRS])
    for (one, other, equal), answers in zip(PAIRS, found, strict=True):
        assert answers == (equal, equal), (ascii(one), ascii(other))


@QUICK
@given(texts=st.lists(TEXTS, min_size=2, max_size=12))
def test_any_texts_are_equal_for_both_or_for_none(engine: Workspace, texts: list[str]) -> None:
    pairs = list(product(texts, texts))
    found = _equal(engine, pairs)
    for (one, other), answers in zip(pairs, found, strict=True):
        equal = service.fold(one) == service.fold(other)
        assert answers == (equal, equal), (ascii(one), ascii(other))
        assert (key(one) == key(other)) is equal
        assert (service.collate(one) == service.collate(other)) is equal


@QUICK
@given(texts=st.lists(TEXTS, min_size=1, max_size=12))
def test_a_carried_text_is_still_the_stored_one(engine: Workspace, texts: list[str]) -> None:
    sql = """SELECT a, encode(text_carried(a)), encode(text_carried(text_carried(a))),
             encode(text_stored(text_carried(a))), encode(text_stored(a)), text_carried(a) AS b FROM given"""
    engine.put("given", pyarrow.table({"a": texts}))
    for text, once, twice, back, same, _ in _ask(engine, sql, a=texts):
        assert isinstance(once, bytes) and isinstance(text, str)
        assert once == twice and back == same == text.encode() and stored(once.decode()) == text
    (batch,) = engine.bind(sql, None).to_arrow_reader(100)
    assert as_stored(batch).column(5).to_pylist() == texts
    fetched = pyarrow.table({"a": [*texts, None], "n": range(len(texts) + 1)})
    assert as_carried(fetched).column(0).to_pylist() == [*batch.column(5).to_pylist(), None]
    assert [as_carried(each) for each in fetched.to_batches()] == as_carried(fetched).to_batches()


@QUICK
@given(texts=st.lists(TEXTS, min_size=1, max_size=12))
def test_like_folds_alike(engine: Workspace, texts: list[str]) -> None:
    pairs = [(one, other) for one, other in product(texts, texts) if not set(other) & set("%_")]
    sides = [list(side) for side in zip(*pairs, strict=True)] or [[], []]
    found = _ask(engine, "SELECT text_fold(a) LIKE text_fold(b) FROM given", a=sides[0], b=sides[1])
    assert [like for (like,) in found] == [service.like_fold(one) == service.like_fold(other) for one, other in pairs]
    assert all((fold(one) == fold(other)) is like for (one, other), (like,) in zip(pairs, found, strict=True))


def test_the_engine_agrees_on_every_letter_it_is_trusted_with(engine: Workspace) -> None:
    ends = AGREED
    letters: list[str] = []
    position = 0
    while position < len(ends):
        ranged = position + 2 < len(ends) and ends[position + 1] == "-"
        last = ends[position + 2] if ranged else ends[position]
        letters += map(chr, range(ord(ends[position]), ord(last) + 1))
        position += 3 if ranged else 1
    letters = [letter for letter in letters if unicodedata.category(letter) != "Cn"]
    found = _ask(engine, "SELECT a, encode(lower(strip_accents(a))) FROM given", a=letters)
    for letter, folded in found:
        assert isinstance(letter, str) and isinstance(folded, bytes)
        assert unicodedata.normalize("NFC", folded.decode()) == fold(letter), ascii(letter)
        assert is_plain(letter) == (key(letter) == fold(letter))


def test_lists_and_rows_hold_stored_texts(engine: Workspace) -> None:
    sql = "SELECT [text_carried('ß')] AS a, {'x': text_carried('a ')} AS b, text_carried('ς') AS c, [1] AS d"
    (batch,) = engine.bind(sql, None).to_arrow_reader(10)
    assert as_stored(batch).to_pylist() == [{"a": ["ß"], "b": {"x": "a "}, "c": "ς", "d": [1]}]


@pytest.mark.parametrize("function", ["text_carried", "text_stored", "text_fold"])
@pytest.mark.parametrize(
    "value", ["1", "DATE '2024-01-01'", "1.50::DECIMAL(5,2)", "true", "uuid()", "[1]", "NULL::INTEGER"]
)
def test_other_types_are_left_alone(engine: Workspace, function: str, value: str) -> None:
    same = f"typeof({function}(x)) = typeof(x), {function}(x) IS NOT DISTINCT FROM x"
    bound = engine.bind(f"SELECT {same} FROM (SELECT {value} AS x)", None)
    assert bound.fetchall() == [(True, True)]


@pytest.mark.parametrize("function", ["text_carried", "text_stored", "text_fold"])
@pytest.mark.parametrize(
    "value",
    [
        *(
            "stddev(n)",
            "median(n)",
            "mode(n)",
            "max(day)",
            "list(n)",
            "(SELECT max(n) FROM numbers)",
            "NULLIF(NULL, 1)",
        ),
        *("lag(any_value(n)) OVER ()", "max(t)"),
    ],
)
def test_what_aggregates_windows_and_queries_return_keeps_its_type(
    engine: Workspace, function: str, value: str
) -> None:
    rows = "SELECT * FROM (VALUES (1, DATE '2024-01-01', 'b'), (2, DATE '2024-01-02', 'a')) AS numbers (n, day, t)"
    sql = f"WITH numbers AS ({rows}) SELECT {value} AS plain, {function}({value}) AS turned FROM numbers"
    bound = engine.bind(sql, None)
    assert bound.types[0] == bound.types[1]
    assert all(plain == turned for plain, turned in bound.fetchall())
