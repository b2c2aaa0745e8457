"""What readers see after a change, and what happens to changes at the same time."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

from sqlalchemy_dynamics.sandbox import Sandbox, Switches
from sqlalchemy_dynamics.sandbox.router import answer
from sqlalchemy_dynamics.sandbox.wire import Request
from tests.sandbox_definitions.api import ROOT, Api, column, one_to_many, table

THING = "EntityDefinitions(LogicalName='new_thing')"


def test_readers_lag_behind_unless_they_ask_for_the_truth() -> None:
    org = Api(replace(Switches(), publish_lag=10))
    org.create_table()
    assert org("GET", THING).status == 404
    assert org("GET", "new_things").refusal == (404, "0x8006088a")
    assert org("POST", "new_things", {"new_name": "a"}).status == 404
    assert "new_thing" not in org.csdl()
    assert org.get(THING, consistency="Strong")["EntitySetName"] == "new_things"
    assert org.values("new_things", consistency="Strong") == []
    org.clock.now += 10
    assert org.values("new_things") == []
    assert "new_thing" in org.csdl()


def test_every_change_has_its_own_lag() -> None:
    org = Api(replace(Switches(), publish_lag=10))
    org.create_table()
    org.clock.now += 5
    org.add_column("new_thing", column("String", "new_X"))
    org.clock.now += 5
    assert org("GET", "new_things?$select=new_name").status == 200
    assert org("GET", "new_things?$select=new_x").refusal == (400, "0x0")
    org.clock.now += 5
    assert org("GET", "new_things?$select=new_x").status == 200


def test_the_version_of_the_metadata_moves_with_what_is_seen() -> None:
    def version(org: Api) -> object:
        found = org.get("accounts?$top=1&$select=name", prefer='odata.include-annotations="*"')
        return found["@Microsoft.Dynamics.CRM.globalmetadataversion"]

    org = Api(replace(Switches(), publish_lag=10))
    before = version(org)
    org.create_table()
    assert version(org) == before
    org.clock.now += 10
    assert version(org) != before


def test_one_change_at_a_time() -> None:
    org = Api(replace(Switches(), customization_seconds=5))
    org.create_table()
    assert org("POST", f"{THING}/Attributes", column("String", "new_X")).refusal == (400, "0x80071151")
    assert org("GET", THING).status == 200
    org.clock.now += 5
    org.add_column("new_thing", column("String", "new_X"))


def test_reset_takes_all_changes_back() -> None:
    sandbox = Sandbox(rows=5, auth=False)
    org = Api()
    org.service = sandbox.service
    org.create_table()
    org.done("POST", "RelationshipDefinitions", one_to_many("new_r", "new_thing", "account", "new_ThingId"))
    sandbox.reset()
    assert answer(sandbox.service, Request("GET", "new_things")).status == 404
    assert "new_thingid" not in org.names("account")
    assert org.values("accounts?$select=name")
    org.create_table()
    assert org.values("new_things") == []


def test_reading_while_tables_come_and_go() -> None:
    org = Api()
    statuses: set[int] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            for url in ("EntityDefinitions?$select=LogicalName&$expand=Keys", "$metadata", "accounts?$top=1"):
                statuses.add(org("GET", url).status)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(10):
        org.done("POST", "EntityDefinitions", table(f"new_T{number}"))
        org.done(
            "POST",
            "RelationshipDefinitions",
            one_to_many(f"new_r{number}", "account", f"new_t{number}", "new_AccountId"),
        )
        org.done("DELETE", f"EntityDefinitions(LogicalName='new_t{number}')")
    stop.set()
    for reader in readers:
        reader.join()
    assert statuses == {200}


def batch(*parts: tuple[str, str, object], together: bool) -> tuple[str, bytes]:
    inner = "set" if together else "batch"
    lines = []
    for number, (method, url, body) in enumerate(parts, 1):
        lines += [f"--{inner}", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
        lines += [f"Content-ID: {number}", "", f"{method} {ROOT}{url} HTTP/1.1", "Content-Type: application/json", ""]
        lines += [json.dumps(body)]
    lines += [f"--{inner}--", ""]
    if together:
        lines = ["--batch", "Content-Type: multipart/mixed; boundary=set", "", *lines, "--batch--", ""]
    return "multipart/mixed; boundary=batch", "\r\n".join(lines).encode()


def send(org: Api, *parts: tuple[str, str, object], together: bool) -> str:
    kind, body = batch(*parts, together=together)
    reply = answer(org.service, Request("POST", "$batch", headers={"content-type": kind}, body=body, root=ROOT))
    return reply.body.decode()


def test_schema_changes_in_a_batch_reach_the_organisation_itself() -> None:
    org = Api()
    org.create_table()
    made = send(org, ("POST", f"{THING}/Attributes", column("String", "new_X")), together=False)
    assert "HTTP/1.1 204" in made
    assert "new_x" in org.service.store.organisation.tables["new_thing"].columns
    assert org("GET", "new_things?$select=new_x").status == 200


def test_a_failed_change_set_takes_its_schema_changes_back() -> None:
    org = Api()
    org.create_table("new_Other")
    before = org.csdl()
    add, wrong = column("String", "new_X"), column("String", "Wrong")
    other = "EntityDefinitions(LogicalName='new_other')/Attributes"
    made = send(
        org,
        ("POST", "EntityDefinitions", table()),
        ("POST", other, add),
        ("POST", other, wrong),
        together=True,
    )
    assert "0x80040203" in made
    assert org("GET", THING).status == 404
    assert org.csdl() == before
    org.create_table()
    org.add_column("new_other", add)
    assert org.values("new_things") == [] == org.values("new_others?$select=new_x")
