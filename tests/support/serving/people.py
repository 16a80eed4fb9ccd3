"""A workspace whose registry names people, with a version to act on and the bundled accounts imported."""

from contextlib import contextmanager

from collections_opt.application.workspace import open_workspace
from tests.support.books.bundled_portfolio import import_bundled
from tests.support.models.folders import NOW, add_version, folder_with_people


@contextmanager
def workspace_of_people(folder):
    """Yield it, opened in a folder."""
    models = folder_with_people(folder)
    add_version(models, "next")
    opened = open_workspace(folder / "data", models, lambda: NOW)
    import_bundled(opened)
    yield opened
    opened.close()
