"""Resources of the REST API: blueprints, schemas, exact decimals, lists from resources, rows through importers.

A resource is contributed by ``api_resources`` and stands under ``/api/v1/<addon>/<name>``::

    bp = resource("my_addon_notes", __name__, "Notes.")

    @bp.route("", methods=["GET"])
    @requires("my_addon.note.view")
    @bp.arguments(Query, location="query")
    @bp.response(200, Page)
    def notes(asked):
        return page(NOTES, asked, details)
"""

from core.restapi.batch import Outcomes, row_schema, rows_schema, upsert
from core.restapi.document import resource
from core.restapi.fields import DecimalText, Schema, day_field, text
from core.restapi.gate import for_company
from core.restapi.lists import asked_version, etag, page, page_schema, query_schema
from core.restapi.replies import not_modified_since, tagged
from core.spec.restapi import ApiExtension, ApiResource

__all__ = [
    "ApiExtension", "ApiResource", "DecimalText", "Outcomes", "Schema", "asked_version", "day_field", "etag", "for_company",
    "not_modified_since", "page", "page_schema", "query_schema", "resource", "row_schema", "rows_schema", "tagged",
    "text", "upsert",
]  # fmt: skip
