"""`ngp version`: show the versions of ngp and of the programs that it uses here."""

from __future__ import annotations

from contextlib import suppress

from ngp.commands import options
from ngp.errors import NgpError


def version(as_json: options.AsJson = False) -> None:
    """Show the versions of ngp, Python and Terraform, and the version that rendered the platform."""
    from ngp.environments import installed
    from ngp.views import documents
    from ngp.views import versions as view

    context, cwd = options.context(), None
    with suppress(NgpError):  # the working folder was deleted
        cwd = context.cwd
    found = installed.collect(context.settings, cwd)
    if as_json:
        documents.write(view.document(found))
    else:
        view.show(found)
