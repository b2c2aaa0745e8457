"""Pages: every type as tuples and as Arrow, odd forms of values, and bodies that are no pages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlalchemy_dynamics.edm import (
    BIGINT,
    BLOB,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    MONEY,
    TIMESTAMP,
    TIMESTAMPTZ,
    UUID,
    VARCHAR,
    SqlType,
    decimal,
)
from sqlalchemy_dynamics.errors import DatabaseError, DataError, OperationalError
from sqlalchemy_dynamics.odata.pages import ArrowDecoder, Field, Page, RowDecoder
from sqlalchemy_dynamics.odata.query import FORMATTED_VALUE, LOOKUP_TABLE

OWNER = "_ownerid_value"
COLUMNS = [
    Field("accountid", UUID),
    Field("name", VARCHAR),
    Field("size", INTEGER),
    Field("versionnumber", BIGINT),
    Field("revenue", MONEY),
    Field("rate", decimal(22, 10)),
    Field("lat", DOUBLE),
    Field("hold", BOOLEAN),
    Field("createdon", TIMESTAMPTZ),
    Field("opens", TIMESTAMP),
    Field("born", DATE),
    Field("image", BLOB),
    Field("@odata.etag", VARCHAR, name="etag"),
    Field(OWNER, VARCHAR, FORMATTED_VALUE, "owneridname"),
    Field(OWNER, VARCHAR, LOOKUP_TABLE, "owneridtype"),
    Field("fullname", VARCHAR, name="contact", through=("primarycontactid",)),
    Field("opens", TIMESTAMP, name="deep", through=("primarycontactid", "manager")),
]
GUID = "7eb682f1-ca75-e511-80d4-00155d2a68d1"
FULL = r"""{"@odata.etag":"W/\"81359849\"","name":"Ünïcode \u0041\n","accountid":"GUID","size":5,
 "versionnumber":81359849,"revenue@OData.Community.Display.V1.FormattedValue":"$5,000.00","revenue":5000.0000,"rate":0.1000000001,
 "lat":47.63958,"hold":true,"createdon":"2016-09-28T22:57:53Z","opens":"2016-09-28T08:00:00Z","born":"2016-09-28","image":"AP8=",
 "_ownerid_value@OData.Community.Display.V1.FormattedValue":"Yvonne",
 "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"systemuser","_ownerid_value":"GUID",
 "primarycontactid":{"fullname":"Jo","contactid":"GUID","manager":{"opens":"2020-01-02T03:04:05Z"}},
 "unasked":{"a":[1,{"b":null}]}}""".replace("GUID", GUID)
VALUES = (
    GUID,
    "Ünïcode A\n",
    5,
    81359849,
    Decimal("5000.0000"),
    Decimal("0.1000000001"),
    47.63958,
    True,
    datetime(2016, 9, 28, 22, 57, 53, tzinfo=UTC),
    datetime(2016, 9, 28, 8),
    date(2016, 9, 28),
    b"\x00\xff",
    'W/"81359849"',
    "Yvonne",
    "systemuser",
    "Jo",
    datetime(2020, 1, 2, 3, 4, 5),
)
NULLS = json.dumps({column.key: None for column in COLUMNS if not column.through} | {"primarycontactid": None})
CONTEXT = '"@odata.context":"https://host/api/data/v9.2/$metadata#accounts(name)"'
LINK = "https://host/api/data/v9.2/accounts?$skiptoken=%3Ccookie%22%20/%3E"
PAGE = f"""{{{CONTEXT},"value":[{FULL},{NULLS},{{}},{FULL}],"@odata.nextLink":"{LINK}"}}""".encode()
NONE = (None,) * len(COLUMNS)


def rows(columns: list[Field], body: bytes) -> Page[list[tuple[Any, ...]]]:
    return RowDecoder(columns).decode(body)


def arrow(columns: list[Field], body: bytes) -> Page[list[tuple[Any, ...]]]:
    page = ArrowDecoder(columns).decode(body)
    page.rows.validate(full=True)
    assert page.rows.schema == ArrowDecoder(columns).schema
    values = [list(each) for each in zip(*(column.to_pylist() for column in page.rows), strict=True)]
    return Page([tuple(row) for row in values], page.next_link, page.delta_link)


def second_way(columns: list[Field], body: bytes) -> Page[list[tuple[Any, ...]]]:
    """The path of a page that the JSON reader of pyarrow refuses."""
    page = ArrowDecoder(columns)._by_rows(body)
    return Page([tuple(row.values()) for row in page.rows.to_pylist()], page.next_link, page.delta_link)


Decode = Callable[[list[Field], bytes], Page[list[tuple[Any, ...]]]]
BOTH = pytest.mark.parametrize("decode", [rows, arrow])


@pytest.mark.parametrize("decode", [rows, arrow, second_way])
def test_every_type(decode: Decode) -> None:
    assert decode(COLUMNS, PAGE) == Page([VALUES, NONE, NONE, VALUES], LINK, None)


@BOTH
def test_an_empty_page_and_a_delta_link(decode: Decode) -> None:
    body = f'{{{CONTEXT},"value":[],"@odata.deltaLink":"{LINK}"}}'.encode()
    assert decode(COLUMNS, body) == Page([], None, LINK)


def test_values_have_their_exact_types() -> None:
    (row, *_) = rows(COLUMNS, PAGE).rows
    assert [type(value) for value in row] == [type(value) for value in VALUES]
    assert [str(value) for value in row] == [str(value) for value in VALUES]  # padded zeros kept, no zone on opens
    assert row[8].tzinfo is UTC


def test_arrow_types_are_those_of_the_type_table() -> None:
    schema = ArrowDecoder(COLUMNS).schema
    assert [str(each) for each in schema.types] == [column.type.arrow for column in COLUMNS]
    assert schema.names[-5:] == ["etag", "owneridname", "owneridtype", "contact", "deep"]
    assert schema.names[0] == "accountid"


@pytest.mark.parametrize("decode", [rows, second_way, arrow])
def test_one_column(decode: Decode) -> None:
    assert decode([COLUMNS[2]], PAGE).rows == [(5,), (None,), (None,), (5,)]


def test_no_columns_still_count_rows() -> None:
    assert RowDecoder([]).decode(PAGE).rows == [(), (), (), ()]
    assert ArrowDecoder([]).decode(PAGE).rows.num_rows == 4
    assert ArrowDecoder([])._by_rows(PAGE).rows.num_rows == 4


@BOTH
def test_only_expanded_columns(decode: Decode) -> None:
    assert decode([COLUMNS[-2]], PAGE).rows == [("Jo",), (None,), (None,), ("Jo",)]


def test_repeated_and_reordered_columns() -> None:
    columns = [COLUMNS[1], COLUMNS[0], COLUMNS[1]]
    assert rows(columns, PAGE).rows[0] == (VALUES[1], VALUES[0], VALUES[1])


def one(kind: SqlType, text: str) -> bytes:
    return f'{{"value":[{{"x":{text}}}]}}'.encode()


ODD = [
    (VARCHAR, "5", "5"),
    (VARCHAR, "5.50", "5.50"),
    (VARCHAR, "true", "true"),
    (VARCHAR, '["a",1]', '["a", 1]'),
    (VARCHAR, '"half \\ud800 pair"', "half � pair"),
    (VARCHAR, '"\\ud83d\\ude00"', "\U0001f600"),
    (VARCHAR, '"a\\u0000b"', "a\x00b"),
    (VARCHAR, '""', ""),
    (INTEGER, "5.0", 5),
    (INTEGER, '"5"', 5),
    (BIGINT, "9223372036854775807", 2**63 - 1),
    (MONEY, "440000.000000000", Decimal("440000")),
    (MONEY, '"1.5"', Decimal("1.5")),
    (MONEY, "5", Decimal(5)),
    (MONEY, "1e2", Decimal(100)),
    (MONEY, "-0.0001", Decimal("-0.0001")),
    (decimal(38, 10), "9999999999999999999999999999.9999999999", Decimal("9999999999999999999999999999.9999999999")),
    (DOUBLE, "5", 5.0),
    (DOUBLE, "12345678901234567890", 12345678901234567890.0),
    (DOUBLE, '"1.5"', 1.5),
    (BOOLEAN, "1", True),
    (TIMESTAMPTZ, '"2016-09-28T22:57:53.1234560Z"', datetime(2016, 9, 28, 22, 57, 53, 123456, UTC)),
    (TIMESTAMPTZ, '"2016-09-29T00:57:53+02:00"', datetime(2016, 9, 28, 22, 57, 53, tzinfo=UTC)),
    (TIMESTAMPTZ, '"9999-12-30T23:59:59Z"', datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC)),
    (TIMESTAMPTZ, '"1753-01-01T00:00:00Z"', datetime(1753, 1, 1, tzinfo=UTC)),
    (TIMESTAMP, '"2016-09-28T22:57:53.1230000Z"', datetime(2016, 9, 28, 22, 57, 53, 123000)),
    (TIMESTAMP, '"2016-09-29T00:57:53+02:00"', datetime(2016, 9, 28, 22, 57, 53)),
    (DATE, '"2016-09-28T00:00:00Z"', date(2016, 9, 28)),
    (BLOB, '"-_8="', b"\xfb\xff"),
    (BLOB, '""', b""),
]


@BOTH
@pytest.mark.parametrize(("kind", "text", "value"), ODD)
def test_odd_forms_are_read(decode: Decode, kind: SqlType, text: str, value: Any) -> None:
    assert decode([Field("x", kind)], one(kind, text)).rows == [(value,)]


WRONG = [
    (INTEGER, "5.5"),
    (INTEGER, '"five"'),
    (BIGINT, "9223372036854775808"),
    (MONEY, '"much"'),
    (BOOLEAN, '"perhaps"'),
    (TIMESTAMPTZ, '"yesterday"'),
    (TIMESTAMP, "5"),
    (DATE, '"2016-09-28T12:00:00Z"'),
    (BLOB, '"*"'),
    (UUID, "5"),
    (DOUBLE, "{}"),
]


@BOTH
@pytest.mark.parametrize(("kind", "text"), WRONG)
def test_wrong_values_name_their_column(decode: Decode, kind: SqlType, text: str) -> None:
    if (decode, kind) == (rows, BIGINT):
        return
    with pytest.raises(DataError, match="column x"):
        decode([Field("x", kind)], one(kind, text))


@pytest.mark.parametrize(("kind", "text"), [(MONEY, "1.00001"), (MONEY, "1e18"), (INTEGER, "2147483648")])
def test_arrow_never_rounds_or_wraps(kind: SqlType, text: str) -> None:
    with pytest.raises(DataError, match="column x"):
        arrow([Field("x", kind)], one(kind, text))


@BOTH
def test_no_torn_page_looks_complete(decode: Decode) -> None:
    body = f'{{{CONTEXT},"value":[{FULL},{{}}],"@odata.nextLink":"{LINK}"}}'.encode()
    assert len(decode(COLUMNS, body).rows) == 2
    for length in range(len(body)):
        with pytest.raises(OperationalError):
            decode(COLUMNS, body[:length])


@BOTH
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "torn"),
        (b"<html><body>Sign in</body></html>", "torn or not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "no rows"),
        (b'{"value":null}', "no rows"),
        (b'{"value":{"x":"a"}}', "no rows"),
        (b'{"value":[null]}', "no rows"),
        (b'{"value":[{"x":"a"}]}{"value":[{"x":"b"}]}', "torn"),
        (b'{"value":[{"x":"a"}]} more', "torn"),
        (b'{"value":[{"x":"\xff"}]}', "torn"),
        (b'{"value":[{"x":NaN}]}', "torn"),
        (b'{"error":{"code":"0x80040216","message":"It failed."}}', "It failed."),
        (b'{"value":' + b"[" * 100_000, "torn"),
    ],
)
def test_bodies_that_are_no_pages(decode: Decode, body: bytes, said: str) -> None:
    with pytest.raises(OperationalError, match=said):
        decode([Field("x", VARCHAR)], body)


@BOTH
def test_marks_and_blanks_around_a_page_do_no_harm(decode: Decode) -> None:
    body = b'\xef\xbb\xbf {\r\n "value" : [ {"x":"a"},\n{"x":"b"} ] }\r\n'
    assert decode([Field("x", VARCHAR)], body).rows == [("a",), ("b",)]


def test_single_rows() -> None:
    body = f"{{{CONTEXT}," + FULL[1:]
    assert RowDecoder(COLUMNS).decode_one(body.encode()) == VALUES
    with pytest.raises(OperationalError, match="Not Existing"):
        RowDecoder(COLUMNS).decode_one(b'{"error":{"code":"0x80040217","message":"Not Existing"}}')
    with pytest.raises(DatabaseError, match="torn"):
        RowDecoder(COLUMNS).decode_one(body.encode()[:-1])


JSON_ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.none() | st.text(),
            "size": st.none() | st.integers(-(2**31), 2**31 - 1),
            "revenue": st.none() | st.integers(-(10**14), 10**14),
            "lat": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "hold": st.none() | st.booleans(),
            "createdon": st.none() | st.datetimes(datetime(1753, 1, 1)).map(lambda d: d.isoformat() + "Z"),
            "opens": st.none() | st.datetimes(datetime(1753, 1, 1)).map(lambda d: d.isoformat() + "Z"),
            "born": st.none() | st.dates().map(str),
            "primarycontactid": st.none() | st.fixed_dictionaries({"fullname": st.none() | st.text()}),
        },
    ),
    max_size=5,
)


@given(JSON_ROWS, st.booleans())
def test_both_decoders_agree(json_rows: list[dict[str, Any]], ascii_only: bool) -> None:
    body = json.dumps({"value": json_rows}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    expected = [tuple(row.get(c.key) for c in COLUMNS[:8]) for row in json_rows]
    found = rows(COLUMNS, body)
    assert found == arrow(COLUMNS, body)
    if all((name := row.get("name")) is None or not any("\ud800" <= c <= "\udfff" for c in name) for row in json_rows):
        assert [row[:8] for row in found.rows] == expected


def test_rows_are_decoded_without_pyarrow() -> None:
    code = "import sys, sqlalchemy_dynamics.odata.pages as p; p.RowDecoder([]); print('pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_arrow_page_is_a_record_batch() -> None:
    assert isinstance(ArrowDecoder(COLUMNS).decode(PAGE).rows, pyarrow.RecordBatch)


@pytest.mark.parametrize("sent", ["1", "1.0", "1.0000000000", "1e0", '"1.00"'])
def test_a_decimal_has_the_places_of_its_type(sent: str) -> None:
    body = f'{{"@odata.context":"x","value":[{{"p":{sent}}},{{"p":null}},{{"p":0}}]}}'.encode()
    fields = (Field("p", decimal(16, 4)),)
    assert [str(value) for (value,) in RowDecoder(fields).decode(body).rows] == ["1.0000", "None", "0.0000"]
    assert [str(value) for value in ArrowDecoder(fields).decode(body).rows.column(0).to_pylist()] == [
        "1.0000",
        "None",
        "0.0000",
    ]


def test_a_decimal_with_more_places_than_its_type_stays_exact() -> None:
    body = b'{"@odata.context":"x","value":[{"p":1.23456}]}'
    assert RowDecoder((Field("p", decimal(16, 4)),)).decode(body).rows == [(Decimal("1.23456"),)]
