"""The ORM over file columns: LargeBinary attributes, declared and reflected."""

from __future__ import annotations

import io
import uuid
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy
from sqlalchemy import orm

import sqlalchemy_dynamics
from sqlalchemy_dynamics.dialect import GUID
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import sent

sa: Any = sqlalchemy  # its types differ between the two versions the tests run with
Base: Any = orm.declarative_base()


class Sample(Base):
    __tablename__ = "new_sample"
    new_sampleid = sa.Column(GUID, primary_key=True, default=sqlalchemy_dynamics.client_key)
    new_name = sa.Column(sa.String)
    new_document = orm.deferred(sa.Column(sa.LargeBinary))
    new_document_name = sa.Column(sa.String)


class Versioned(Base):
    __table__ = Sample.__table__.to_metadata(sa.MetaData())
    __table__.append_column(
        sa.Column("versionnumber", sa.BigInteger, sa.FetchedValue(), server_onupdate=sa.FetchedValue())
    )
    __mapper_args__ = {"version_id_col": __table__.c.versionnumber, "version_id_generator": False}


def files_in(requests: list[str]) -> list[str]:
    """Requests for contents, row keys left out."""
    return [f"{each.split()[0]} {each.partition(')/')[2]}" for each in requests if ")/new_document" in each]


def test_an_attribute_is_a_file(session: Any, org: Sandbox) -> None:
    sample = Sample(new_name="model", new_document=b"first", new_document_name="a.txt")
    session.add(sample)
    session.commit()
    assert files_in(sent(org)) == ["PATCH new_document"]
    assert (sample.new_name, sample.new_document_name) == ("model", "a.txt")
    assert files_in(sent(org)) == []
    assert sample.new_document == b"first"
    assert files_in(sent(org)) == ["GET new_document/$value"]
    sample.new_name = "renamed"
    session.commit()
    assert files_in(sent(org)) == []
    setattr(sample, "new_document", io.BytesIO(b"second"))  # noqa: B010 - is read back as bytes
    session.commit()
    assert files_in(sent(org)) == ["PATCH new_document"]
    assert sample.new_document == b"second"
    sample.new_document = None
    session.commit()
    assert "DELETE new_document" in files_in(sent(org))
    assert (sample.new_document, sample.new_document_name) == (None, None)


@pytest.mark.filterwarnings("ignore:rollback")
def test_a_stale_version_sends_no_file(session: Any, engine: Any, org: Sandbox) -> None:
    made = Versioned(new_name="versioned", new_document=b"one")
    session.add(made)
    session.commit()
    made.new_document = b"two"
    session.commit()
    made.new_document = b"three"
    session.commit()
    assert made.new_document == b"three"
    key = made.new_sampleid
    made.new_name = "loaded"
    with engine.begin() as other:
        other.execute(sa.update(Sample.__table__).where(Sample.new_sampleid == key).values(new_name="other"))
    made.new_document = b"four"
    sent(org)
    with pytest.raises(orm.exc.StaleDataError):
        session.commit()
    assert files_in(sent(org)) == []


def test_many_models_in_few_requests(session: Any, org: Sandbox) -> None:
    session.add_all([Sample(new_name="bulk", new_document=b"%d" % n if n % 2 else None) for n in range(6)])
    session.commit()
    requests = sent(org)
    assert len(files_in(requests)) == 3 and sum(each.endswith("CreateMultiple") for each in requests) <= 2
    query = sa.select(Sample.new_document).where(Sample.new_name == "bulk", Sample.new_document.isnot(None))
    assert sorted(session.execute(query).scalars()) == [b"1", b"3", b"5"]
    assert session.query(Sample).filter_by(new_name="bulk").count() == 6
    sent(org)
    found = session.query(Sample).filter_by(new_name="bulk").options(orm.undefer(Sample.new_document)).all()
    assert len(found) == 6 and len(files_in(sent(org))) == 3


def test_reflected_files_are_large_binaries(engine: Any, org: Sandbox) -> None:
    table = sa.Table("new_sample", sa.MetaData(), autoload_with=engine)
    for name in ("new_document", "new_picture"):
        assert isinstance(table.c[name].type, sa.LargeBinary)
    assert isinstance(table.c.new_document_id.type, GUID) and table.c.new_document_id.server_default is not None
    with engine.begin() as connection:
        key = str(uuid.uuid4())
        given = {"new_sampleid": key, "new_name": "core", "new_document": memoryview(b"core"), "new_document_name": "c"}
        connection.execute(table.insert(), given)
        where = table.c.new_sampleid == key
        row = connection.execute(sa.select(table).where(where)).one()
        assert (row.new_document, row.new_document_name, len(row.new_document_id)) == (b"core", "c", 36)
        size = sa.select(sa.func.octet_length(table.c.new_document)).where(where)
        assert connection.execute(size).scalar() == 4
        connection.execute(table.update().where(where).values(new_document=None))
        assert connection.execute(sa.select(table.c.new_document).where(where)).scalar() is None


def test_tools_that_list_every_column_may_leave_files_out(org: Sandbox) -> None:
    url = f"dynamics:///?OrganizationUrl={quote(org.url)}&OAuthAccessToken={quote(org.access_token)}&ReflectFiles=false"
    engine = sa.create_engine(url)
    table = sa.Table("new_sample", sa.MetaData(), autoload_with=engine)
    assert {"new_document", "new_picture"}.isdisjoint(table.c.keys()) and "new_document_name" in table.c
    account = sa.Table("account", sa.MetaData(), autoload_with=engine)
    assert isinstance(account.c.entityimage.type, sa.LargeBinary)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(new_document) FROM new_sample")).scalar() is not None
    engine.dispose()


def test_reflected_models_send_only_what_is_set(engine: Any, org: Sandbox) -> None:
    metadata = sa.MetaData()
    table = sa.Table("new_sample", metadata, autoload_with=engine)
    mapped: Any = type("Reflected", (orm.declarative_base(metadata=metadata),), {"__table__": table})
    with orm.Session(engine) as session:
        made = mapped(new_name="reflected", new_document=("r.txt", b"reflected"))
        session.add(made)
        session.commit()
        assert files_in(sent(org)) == ["PATCH new_document"]
        assert (made.new_document, made.new_document_name) == (b"reflected", "r.txt")
        sent(org)
        made.new_code = "changed"
        session.commit()
        assert files_in(sent(org)) == []
