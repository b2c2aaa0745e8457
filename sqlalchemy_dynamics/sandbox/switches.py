"""The one table of what nobody has verified about the real service: each entry is one answer, changed in one line.

The numbers are those of the ledger in section 11 of the reference.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Answer", "Switches"]


@dataclass(frozen=True)
class Answer:
    """What the service says to a request it refuses: HTTP status, Dataverse code, text."""

    status: int
    code: str
    message: str


@dataclass(frozen=True)
class Switches:
    """Answers to the open questions; the defaults are what this sandbox assumes."""

    # 1: unsupported query options, operators and functions
    skip: Answer = Answer(400, "0x80060888", "Skip Clause is not supported in CRM")
    query_option: Answer = Answer(400, "0x80060888", "The query parameter {name} is not supported")
    filter_function: Answer = Answer(400, "0x8006088a", "The '{name}' function isn't supported.")
    arithmetic: Answer = Answer(400, "0x8006088a", "The '{name}' operator isn't supported.")
    in_operator: Answer = Answer(501, "0x80040216", "The method or operation is not implemented.")
    # 2: caps of /$count and $top
    count_segment_capped: bool = True
    top_over_page_continues: bool = True
    # 3: null rows
    ne_returns_nulls: bool = True
    negated_functions_return_nulls: bool = True
    column_ne_is_one_sided: bool = True
    negated_order_returns_nulls: bool = False
    # 4: query options outside $apply
    outer_options_with_apply: Answer = Answer(
        400, "0x80060888", "The query parameter {name} is not supported together with $apply"
    )
    # 5: ?sql=
    sql_parameter: bool = True
    sql_error: Answer = Answer(400, "0x80040203", "{message}")
    # 6: storage and comparison rules
    empty_string_is_null: bool = True
    word_sort: bool = True
    # 7: names of new tables and columns
    prefix_mismatch: Answer = Answer(
        400, "0x80040203", "The prefix of '{name}' is not the publisher's prefix '{prefix}'."
    )
    schema_name_limit: int = 100
    # 8: the reply without a token
    unauthorized_body: bytes = b""
    affinity_cookie: str = "ARRAffinity"
    # 9: privilege and unknown-attribute texts
    unknown_attribute: str = (
        "'{table}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'."
    )
    # 10: lambdas and functions over related tables
    any_without_predicate: bool = True
    function_over_path: Answer = Answer(
        400, "0x80060888", "The property name '{name}' of a query function must be a column of the table itself."
    )
    # 11: writes of nothing and of read-only properties
    empty_patch_allowed: bool = True
    lookup_value_in_body_ignored: bool = True
    key_change: Answer = Answer(400, "0x80040203", "The primary key '{name}' of a row cannot be changed.")
    content_type: Answer = Answer(
        415, "", "The request entity's media type '{name}' is not supported for this resource."
    )
    metadata_as_json: Answer = Answer(
        415,
        "",
        "A supported MIME type could not be found that matches the acceptable MIME types for the request. The "
        "supported type(s) 'application/xml' do not match any of the acceptable MIME types '{name}'.",
    )
    rows_as_xml: Answer = Answer(
        415,
        "",
        "A supported MIME type could not be found that matches the acceptable MIME types for the request. The "
        "supported type(s) 'application/json;odata.metadata=minimal, application/json' do not match any of the "
        "acceptable MIME types '{name}'.",
    )
    # the service speaks OData 4.0 only; that another version finds no route is what ASP.NET's OData library does
    odata_version: Answer = Answer(404, "", "No HTTP resource was found that matches the request URI '{name}'.")
    duplicate_found: Answer = Answer(
        412,
        "0x80040333",
        "A record was not created or updated because a duplicate of the current record already exists.",
    )
    delete_multiple: Answer = Answer(501, "0x80040216", "DeleteMultiple has not yet been implemented.")
    file_in_body: Answer = Answer(
        400, "0x80048d19", "The file column '{name}' cannot be set in a create or update; upload to its own URL."
    )
    # 7.1: what a request that runs past the timeout is told
    timeout: Answer = Answer(500, "0x80044151", "SQL timeout expired.")
    # 12: a batch of too many requests (a failed change set is one part with the error)
    batch_too_large: Answer = Answer(
        400,
        "0x80048d19",
        "The current batch message contains too many parts. A maximum number of '{limit}' query "
        "operations and/or changesets are allowed in a batch message.",
    )
    # 13: RetrieveMetadataChanges
    deleted_metadata: str = '{"Count":0,"IsReadOnly":false,"Keys":[],"Values":[]}'
    # 16: elastic pages; etags on rows expanded through a lookup inside a collection
    elastic_page_size: int = 500
    etag_on_expanded_lookup: bool = False
    # 17: ranges
    money_scale: int = 4
    latest_date: str = "9999-12-30T23:59:59Z"
    earliest_date: str = "1753-01-01T00:00:00Z"
    # 18: aggregates over no rows
    aggregate_of_nothing: bool = True
    # 20: columns of a link-entity without alias
    link_alias: str = "{table}{number}"
    # 21: nulls in alternate keys
    nulls_collide_in_keys: bool = False
    # beyond the ledger: related paths in $orderby, and the join a lookup path in $filter makes
    order_by_related: bool = True
    lookup_path_joins_inner: bool = True
    average_of_integers_is_whole: bool = True
    # whether groupby without an aggregate counts its input rows too
    grouping_is_limited: bool = True
    # texts and codes of what actions refuse (that they refuse is known)
    already_closed: Answer = Answer(400, "0x80040203", "The {table} has already been closed.")
    opportunity_has_quotes: Answer = Answer(
        400, "0x80040203", "The opportunity cannot be closed: active or draft quotes are associated with it."
    )
    cannot_merge: Answer = Answer(400, "0x80040203", "Rows of '{one}' and '{two}' cannot be merged.")
    cannot_merge_same: Answer = Answer(400, "0x80040203", "A record cannot be merged with itself.")
    email_not_draft: Answer = Answer(400, "0x80040203", "Only an e-mail message that is a draft can be sent.")
    email_without_sender: Answer = Answer(400, "0x80040203", "The e-mail must have a sender before it can be sent.")
    email_without_recipient: Answer = Answer(
        400, "0x80040203", "The e-mail must have at least one recipient before it can be sent."
    )
    metadata_function: Answer = Answer(
        400, "0x8006088a", 'The "{name}" function isn\'t supported for Metadata Entities.'
    )
    publish_lag: float = 0.0
    key_index_seconds: float = 0.0
    customization_seconds: float = 0.0
    customization_lock: Answer = Answer(
        400, "0x80071151", "Cannot start the requested operation because another customization operation is running."
    )
    managed_component: Answer = Answer(
        403, "0x80048405", "The {kind} '{name}' is managed or belongs to the system and cannot be {done}."
    )
    component_in_use: Answer = Answer(
        400,
        "0x8004f01f",
        "The {kind}({ident}) component cannot be deleted because it is referenced by {count} other components. For a "
        "list of referenced components, use the RetrieveDependenciesForDeleteRequest.",
    )
