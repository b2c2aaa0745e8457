"""`$metadata`: the CSDL document of the organisation as it is now (section 2)."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from sqlalchemy_dynamics.sandbox.csdl_fixed import COMPLEX_TYPES, DEFINITIONS, ENUMS, QUERY_FUNCTIONS
from sqlalchemy_dynamics.sandbox.declared_csdl import imports_csdl, operations_csdl, types_csdl
from sqlalchemy_dynamics.sandbox.schema import AlternateKey, Column, Navigation, Organisation, Table
from sqlalchemy_dynamics.sandbox.values import edm_type

__all__ = ["write_csdl"]

_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    '<edmx:Reference Uri="http://vocabularies.odata.org/OData.Community.Keys.V1.xml">'
    '<edmx:Include Namespace="OData.Community.Keys.V1" Alias="Keys" />'
    '<edmx:IncludeAnnotations TermNamespace="OData.Community.Keys.V1" /></edmx:Reference>'
    '<edmx:Reference Uri="http://vocabularies.odata.org/OData.Community.Display.V1.xml">'
    '<edmx:Include Namespace="OData.Community.Display.V1" Alias="Display" />'
    '<edmx:IncludeAnnotations TermNamespace="OData.Community.Display.V1" /></edmx:Reference>'
    '<edmx:DataServices><Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" '
    'xmlns="http://docs.oasis-open.org/odata/ns/edm"><EntityType Name="crmbaseentity" Abstract="true" />'
)
_TAIL = "</Schema></edmx:DataServices></edmx:Edmx>"
_FACETS = {"Edm.String": ' Unicode="false"', "Edm.Decimal": ' Scale="Variable"'}
_READ_ONLY = (
    '<Annotation Term="Org.OData.Core.V1.Permissions"><EnumMember>Org.OData.Core.V1.PermissionType/Read</EnumMember>'
    "</Annotation>"
)


def write_csdl(organisation: Organisation, annotations: bool = False) -> bytes:
    """Return the document; with `annotations` descriptions and read-only marks are in it."""
    parts = [_HEAD]
    for table in organisation.tables.values():
        parts += _entity_type(organisation, table, annotations)
    parts += [DEFINITIONS, ENUMS, COMPLEX_TYPES, *types_csdl(), *operations_csdl(organisation), *_query_functions()]
    parts += [*_container(organisation, annotations), _TAIL]
    return "".join(parts).encode()


def _entity_type(organisation: Organisation, table: Table, annotations: bool) -> Iterator[str]:
    abstract = ' Abstract="true"' if table.abstract else ""
    yield (
        f'<EntityType Name={quoteattr(table.name)} BaseType="mscrm.{table.base or "crmbaseentity"}"{abstract}><Key>'
        f'<PropertyRef Name="{table.key}" /></Key>'
    )
    for name, column in table.properties().items():
        if not column.inherited:
            yield _property(name, column, annotations)
    own = [n for n in organisation.navigations(table.name).values() if n.table == table.name]
    for navigation in own:
        yield _navigation(organisation, table, navigation)
    active = [key for key in table.keys.values() if key.status == "Active"]
    if active:
        yield _keys(table, active)
    yield "</EntityType>"


def _property(name: str, column: Column, annotations: bool) -> str:
    edm = edm_type(column)
    head = f'<Property Name="{name}" Type="{edm}"{_FACETS.get(edm, "")}'
    if not annotations:
        return f"{head} />"
    inner = (
        f'<Annotation Term="Org.OData.Core.V1.Description" String={quoteattr(column.description or column.label)} />'
    )
    if column.is_lookup:
        inner += '<Annotation Term="Org.OData.Core.V1.Computed" Bool="true" />'
    if column.is_lookup or not (column.creatable or column.updatable):
        inner += _READ_ONLY
    return f"{head}>{inner}</Property>"


def _navigation(organisation: Organisation, table: Table, navigation: Navigation) -> str:
    partner = f' Partner="{navigation.partner}"' if navigation.partner else ""
    if navigation.collection:
        return f'<NavigationProperty Name="{navigation.name}" Type="Collection(mscrm.{navigation.target})"{partner} />'
    head = f'<NavigationProperty Name="{navigation.name}" Type="mscrm.{navigation.target}" Nullable="false"{partner}'
    if not navigation.constraint:
        return f"{head} />"
    target = organisation.tables[navigation.target]
    return (
        f'{head}><ReferentialConstraint Property="{table.columns[navigation.column].property}" '
        f'ReferencedProperty="{target.primary_id}" /></NavigationProperty>'
    )


def _keys(table: Table, keys: list[AlternateKey]) -> str:
    records = []
    for key in keys:
        names = [table.columns[name].property for name in key.columns]
        refs = "".join(
            '<Record Type="OData.Community.Keys.V1.PropertyRef">'
            f'<PropertyValue Property="Alias" String="{name}" /><PropertyValue Property="Name" PropertyPath="{name}" />'
            "</Record>"
            for name in names
        )
        records.append(
            '<Record Type="OData.Community.Keys.V1.AlternateKey"><PropertyValue Property="Key"><Collection>'
            f"{refs}</Collection></PropertyValue></Record>"
        )
    return (
        '<Annotation Term="OData.Community.Keys.V1.AlternateKeys"><Collection>'
        f"{''.join(records)}</Collection></Annotation>"
    )


def _query_functions() -> Iterator[str]:
    for parameters, names in QUERY_FUNCTIONS.items():
        for name in names:
            declared = "".join(
                f'<Parameter Name="{parameter}" Type="{kind}" Nullable="false"'
                f"{' Unicode=' + chr(34) + 'false' + chr(34) if 'String' in kind else ''} />"
                for parameter, kind in (("PropertyName", "Edm.String"), *parameters)
            )
            yield f'<Function Name="{name}">{declared}<ReturnType Type="Edm.Boolean" Nullable="false" /></Function>'
    yield '<Term Name="associatednavigationproperty" Type="Edm.String" AppliesTo="PropertyValue" />'
    yield '<Term Name="lookuplogicalname" Type="Edm.String" AppliesTo="PropertyValue" />'


def _container(organisation: Organisation, annotations: bool) -> Iterator[str]:
    yield '<EntityContainer Name="System">'
    for table in organisation.tables.values():
        if table.set_name:
            yield _entity_set(organisation, table, annotations)
    for name, kind in (
        ("EntityDefinitions", "EntityMetadata"),
        ("GlobalOptionSetDefinitions", "OptionSetMetadataBase"),
        ("ManagedPropertyDefinitions", "ManagedPropertyMetadata"),
        ("RelationshipDefinitions", "RelationshipMetadataBase"),
    ):
        yield f'<EntitySet Name="{name}" EntityType="Microsoft.Dynamics.CRM.{kind}" />'
    yield from imports_csdl(organisation)
    yield "</EntityContainer>"


def _entity_set(organisation: Organisation, table: Table, annotations: bool) -> str:
    bindings = []
    for navigation in organisation.navigations(table.name).values():
        target = organisation.tables[navigation.target]
        bound = "owners" if navigation.target == "principal" else target.set_name
        if bound:
            bindings.append(f'<NavigationPropertyBinding Path="{navigation.name}" Target="{bound}" />')
    inner = "".join(bindings)
    if annotations:
        inner += (
            '<Annotation Term="Org.OData.Capabilities.V1.SkipSupported" Bool="false" />'
            '<Annotation Term="Org.OData.Capabilities.V1.ChangeTracking"><Record><PropertyValue Property="Supported" '
            f'Bool="{str(table.change_tracking).lower()}" /></Record></Annotation>'
        )
    return f'<EntitySet Name="{table.set_name}" EntityType="Microsoft.Dynamics.CRM.{table.name}">{inner}</EntitySet>'
