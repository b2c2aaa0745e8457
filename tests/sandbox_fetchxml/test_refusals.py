"""What FetchXML and views refuse, and views themselves."""

from __future__ import annotations

import pytest

from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.fetchxml import parse_fetch
from tests.sandbox_fetchxml.conftest import IDS, Fetcher

LINK = "<link-entity name='contact' from='parentcustomerid' to='accountid' alias='{}'>{}</link-entity>"
NAME = "<attribute name='name'/>"


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ("", "0x80040203"),
        ("<fetch", "0x80040201"),
        ("<!DOCTYPE fetch [<!ENTITY a 'b'>]><fetch><entity name='account'/></fetch>", "0x80040201"),
        ("<fetch/>", "0x80041102"),
        ("<fetch><entity/></fetch>", "0x80041102"),
        ("<fetch><entity name='nothing'/></fetch>", "0x80041102"),
        ("<fetch><entity name='contact'/></fetch>", "0x80060888"),
        ("<fetch><entity name='account'><column name='x'/></entity></fetch>", "0x8004111c"),
        ("<fetch><entity name='account'><attribute/></entity></fetch>", "0x80040203"),
    ],
)
def test_documents(fx: Fetcher, xml: str, code: str) -> None:
    answer = fx.get(f"accounts?fetchXml={xml}")
    assert answer.error[:2] == (400, code)


@pytest.mark.parametrize(
    ("inner", "attributes", "code"),
    [
        ("<attribute name='nosuch'/>", "", "0x80041103"),
        ("<attribute name='Name'/>", "", "0x80041103"),
        ("<filter><condition attribute='nosuch' operator='null'/></filter>", "", "0x80041103"),
        ("<order attribute='nosuch'/>", "", "0x80041103"),
        (LINK.format("c", "").replace("contact", "nothing"), "", "0x80041102"),
        (LINK.format("c", "").replace("parentcustomerid", "nosuch"), "", "0x80041103"),
        (LINK.format("c", "") * 2, "", "0x80041130"),
        ("<attribute name='name' alias='x'/><attribute name='revenue' alias='x'/>", "", "0x80041130"),
        ("<attribute name='name' alias='1x'/>", "", "0x80040203"),
        ("".join(LINK.format(f"c{n}", "") for n in range(16)), "", "0x8004430D"),
        ("<filter>" * 150 + "</filter>" * 150, "", "0x80040201"),
        ("<link-entity name='publisher' alias='s'/>", "", "0x80040203"),
        ("<order alias='x'/>", "", "0x80041132"),
        (
            "<attribute name='name' alias='n' groupby='true'/><order attribute='name'/>",
            "aggregate='true'",
            "0x80041131",
        ),
        ("<attribute name='name' alias='n' aggregate='sum'/>", "aggregate='true'", "0x8004112f"),
        ("<attribute name='industrycode' alias='n' aggregate='max'/>", "aggregate='true'", "0x8004112f"),
        ("<attribute name='primarycontactid' alias='n' aggregate='min'/>", "aggregate='true'", "0x8004112f"),
        ("<attribute name='createdon' alias='n' groupby='true'/>", "aggregate='true'", "0x80041135"),
        (
            "<attribute name='createdon' alias='n' groupby='true' dategrouping='hour'/>",
            "aggregate='true'",
            "0x80041135",
        ),
        ("<attribute name='name' alias='n' groupby='true' dategrouping='day'/>", "aggregate='true'", "0x80041135"),
        ("<attribute name='name' alias='n' aggregate='median'/>", "aggregate='true'", "0x80040203"),
        ("<attribute name='name' aggregate='count'/>", "aggregate='true'", "0x80040203"),
        ("<attribute name='name' alias='n'/>", "aggregate='true'", "0x80040203"),
        ("<attribute name='name' alias='n' aggregate='count'/>", "", "0x80040203"),
        (NAME, "top='5' page='1'", "0x80040203"),
        (NAME, "top='5001'", "0x80040203"),
        (NAME, "count='x'", "0x80040203"),
        (NAME, "distinct='maybe'", "0x80040203"),
        (NAME, "page='2' paging-cookie='rubbish'", "0x80040203"),
        (NAME, "count='5000' page='12'", "0x80040203"),
        (
            "<order attribute='revenue'/>",
            "page='2' paging-cookie='&lt;cookie page=&quot;1&quot;&gt;&lt;accountid "
            "last=&quot;{x}&quot;/&gt;&lt;/cookie&gt;'",
            "0x80041129",
        ),
        ("<filter><condition attribute='name' operator='sounds-like' value='x'/></filter>", "", "0x80040203"),
        ("<filter><condition attribute='name' operator='eq'/></filter>", "", "0x80040203"),
        ("<filter><condition attribute='revenue' operator='eq' value='much'/></filter>", "", "0x80040203"),
        ("<filter><condition attribute='accountid' operator='eq' value='x'/></filter>", "", "0x80040203"),
        ("<filter><condition attribute='revenue' operator='like' value='1%'/></filter>", "", "0x80040203"),
        ("<filter><condition attribute='name' operator='eq' valueof='revenue'/></filter>", "", "0x80040203"),
        ("<filter><condition attribute='name' operator='like' valueof='description'/></filter>", "", "0x80040203"),
        ("<filter><condition entityname='z' attribute='name' operator='null'/></filter>", "", "0x8004110a"),
        ("<filter type='xor'/>", "", "0x80040203"),
        (LINK.format("c", "").replace(" alias", " link-type='any' alias"), "", "0x80040203"),
        (LINK.format("c", "").replace(" alias", " link-type='sideways' alias"), "", "0x80040203"),
        (f"<filter>{LINK.format('c', '')}</filter>", "", "0x80040203"),
        (
            LINK.format("c", "<filter><condition attribute='lastname' operator='eq' valueof='d.lastname'/></filter>")
            + LINK.format("d", ""),
            "",
            "0x8004110a",
        ),
    ],
)
def test_queries(fx: Fetcher, inner: str, attributes: str, code: str) -> None:
    assert fx.fetch(inner, attributes).error[:2] == (400, code)


def test_texts_that_are_recorded(fx: Fetcher) -> None:
    top = fx.fetch(NAME, "top='1' page='1'").error[2]
    assert top == "The top attribute can't be specified with paging attribute page"
    unknown = fx.fetch("<attribute name='x'/>").error[2]
    assert unknown.startswith("'account' entity doesn't contain attribute with Name = 'x'")
    assert fx.fetch("".join(LINK.format(f"c{n}", "") for n in range(16))).error[2] == (
        "Number of link entities in query exceeded maximum limit."
    )
    assert (
        len(
            fx.fetch(
                "".join(LINK.format(f"c{n}", "") for n in range(15)).replace(
                    "='contact'", "='contact' link-type='exists'"
                )
            ).rows
        )
        > 0
    )


def test_too_many_conditions() -> None:
    condition = "<condition attribute='name' operator='null'/>"
    xml = f"<fetch><entity name='account'><filter>{{}}</filter>{LINK.format('c', '')}</entity></fetch>"
    assert len(parse_fetch(xml.format(condition * 499)).entity.filters[0].items) == 499
    with pytest.raises(ODataError) as caught:
        parse_fetch(xml.format(condition * 500))
    assert caught.value.code == "0x8004430C"


def test_other_options_beside_fetch(fx: Fetcher) -> None:
    assert fx.fetch(NAME, extra="&$filter=name eq 'x'").error[:2] == (400, "0x80060888")


def test_views(fx: Fetcher) -> None:
    view = "savedQuery=00000000-0000-0000-00aa-000010001002"
    active = fx.get("accounts?$select=name&$filter=statecode eq 0&$orderby=name").rows
    assert [row["name"] for row in fx.get(f"accounts?{view}").rows] == [row["name"] for row in active]
    paged = fx.every(f"accounts?{view}", Prefer="odata.maxpagesize=11")
    assert [row["accountid"] for row in paged] == [row["accountid"] for row in active]
    personal = fx.get("accounts?userQuery=121c6fd8-1975-e511-80d4-00155d2a68d1")
    assert len(personal.rows) == len(fx.every("accounts?$select=name"))
    contacts = fx.get(f"accounts({IDS[0]})/contact_customer_accounts/?savedQuery=00000000-0000-0000-00aa-000010001004")
    assert [row["fullname"] for row in contacts.rows] == ["fx one", "fx two"]


def test_own_views(fx: Fetcher) -> None:
    xml = (
        "<fetch><entity name='account'><attribute name='name'/><filter><condition attribute='name' operator='eq' "
        "value='fx a'/></filter></entity></fetch>"
    )
    fx.control(
        "POST",
        "rows",
        {
            "table": "userquery",
            "rows": [{"userqueryid": IDS[15], "name": "mine", "returnedtypecode": "account", "fetchxml": xml}],
        },
    )
    assert [row["name"] for row in fx.get(f"accounts?userQuery={IDS[15]}").rows] == ["fx a"]
    assert fx.get(f"contacts?userQuery={IDS[15]}").error[:2] == (400, "0x80060888")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("savedQuery=00000000-0000-0000-00aa-00001000ffff", 404),
        ("userQuery=00000000-0000-0000-00aa-000010001002", 404),
        ("savedQuery=rubbish", 400),
    ],
)
def test_views_that_are_none(fx: Fetcher, query: str, status: int) -> None:
    assert fx.get(f"accounts?{query}").status == status


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (f"numberofemployees eq {'9' * 20}", 200),
        (f"revenue lt {'9' * 40}", 200),
        (f"Microsoft.Dynamics.CRM.InFiscalPeriod(PropertyName='createdon',PropertyValue={'9' * 20})", 400),
        (
            "Microsoft.Dynamics.CRM.InFiscalPeriodAndYear(PropertyName='createdon',PropertyValue1=1,PropertyValue2=0)",
            400,
        ),
        ("Microsoft.Dynamics.CRM.InFiscalPeriod(PropertyName='name',PropertyValue=1)", 400),
    ],
)
def test_numbers_out_of_range_in_filters(fx: Fetcher, condition: str, status: int) -> None:
    assert fx.get(f"accounts?$select=name&$filter={condition}").status == status


@pytest.mark.parametrize("column", ["numberofemployees", "revenue", "exchangerate"])
def test_numbers_out_of_range_in_writes(fx: Fetcher, column: str) -> None:
    body = f'{{"name":"big","{column}":{"9" * 40}}}'.encode()
    answer = fx.send("POST", "accounts", body, Content_Type="application/json")
    assert answer.status in (204, 400)
