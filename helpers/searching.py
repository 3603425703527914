"""What a table that can be searched says around its rows, for the library that makes it so."""

from typing import Any

from helpers.languages import t


def words() -> dict[str, Any]:
    """Return what DataTables says around a table, in the language that is spoken."""
    return {
        "search": t("Search"),
        "info": t("_START_ to _END_ of _TOTAL_ rows"),
        "infoEmpty": t("no rows"),
        "infoFiltered": t("(found in _MAX_)"),
        "lengthMenu": t("_MENU_ rows a page"),
        "emptyTable": t("Nothing to list."),
        "zeroRecords": t("Nothing found."),
        "paginate": {"first": "«", "previous": "‹", "next": "›", "last": "»"},
        "aria": {
            "orderable": t(": click to sort"),
            "orderableReverse": t(": click to sort the other way"),
            "orderableRemove": t(": click not to sort"),
            "paginate": {
                "first": t("First page"),
                "previous": t("Previous page"),
                "next": t("Next page"),
                "last": t("Last page"),
                "number": t("Page "),
            },
        },
    }
