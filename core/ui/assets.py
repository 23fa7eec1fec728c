"""Static files under addresses that carry a digest of their content, so that browsers may keep them for ever.

``asset("tukku.css")`` gives ``/static/t/<digest>/tukku.css``. Vendor files come straight from the installed
packages that carry them; there is no copy step and nothing is fetched from another network.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, g, request, url_for

from core.ui.access import public
from core.ui.packages import STATIC, package_folder

VENDOR = {
    "vendor/bootstrap.min.css": ("flask_bootstrap", "static/bootstrap5/css/bootstrap.min.css"),
    "vendor/swagger-ui.css": ("flask_swagger_ui", "dist/swagger-ui.css"),
    "vendor/swagger-ui.js": ("flask_swagger_ui", "dist/swagger-ui-bundle.js"),
    "vendor/htmx.min.js": ("js_lib_htmx", "static/htmx/htmx.min.js"),
}
COMPRESSIBLE = frozenset({".css", ".js", ".svg", ".json", ".txt"})
YEAR = 31_536_000

bp = Blueprint("assets", __name__)


def init_assets(app: Flask, addons: dict[str, Path] | None = None) -> None:
    """Give `app` the template global ``asset``; `addons` maps an addon's name to its ``static`` folder."""
    app.extensions["tukku.static"] = dict(addons or {})
    app.add_template_global(asset, "asset")


def asset(path: str, addon: str = "") -> str:
    """Return the address of a static file of core, or of `addon`, with the digest of what it holds now.

    A page names the sprite at every icon, so an address is worked out once in a request; the file is found once.
    """
    known: dict[tuple[str, str], str] = g.setdefault("tukku_assets", {})
    if (path, addon) not in known:
        known[path, addon] = _address(path, addon)
    return known[path, addon]


def _address(path: str, addon: str) -> str:
    found: dict[tuple[str, str], Path] = current_app.extensions.setdefault("tukku.static_found", {})
    file = found.get((path, addon)) or locate(path, addon)
    if file is None or not file.is_file():
        raise FileNotFoundError(f"There is no static file {path!r} of {addon or 'core'}")
    found[path, addon] = file
    name = f"a/{addon}/{path}" if addon else path
    return url_for("assets.static_file", digest=content(file, file.stat().st_mtime_ns).digest, path=name)


def locate(path: str, addon: str = "") -> Path | None:
    """Return the file behind `path`, or None where there is none or it lies outside its folder."""
    if path in VENDOR and not addon:
        package, inner = VENDOR[path]
        return package_folder(package) / inner
    root = current_app.extensions.get("tukku.static", {}).get(addon) if addon else STATIC
    if root is None:
        return None
    file = (Path(root) / path).resolve()
    return file if file.is_file() and file.is_relative_to(Path(root).resolve()) else None


@dataclass(frozen=True, slots=True)
class Content:
    """A static file in memory, plain and compressed, with the digest that its address carries."""

    body: bytes
    packed: bytes | None
    digest: str


@lru_cache(maxsize=512)
def content(file: Path, _modified: int) -> Content:
    """Return the content of `file`; read again only when its time of change is another."""
    body = file.read_bytes()
    packed = gzip.compress(body, mtime=0) if file.suffix in COMPRESSIBLE and len(body) > 1024 else None
    return Content(body, packed, hashlib.sha256(body).hexdigest()[:12])


@bp.get("/static/t/<digest>/<path:path>")
@public("static files are the same for everybody")
def static_file(digest: str, path: str) -> Response:
    """Serve a static file; kept for a year under its own digest, asked for again under any other."""
    addon, name = path.split("/", 2)[1:] if path.startswith("a/") and path.count("/") > 1 else ("", path)
    file = locate(name, addon)
    if file is None:
        abort(404)
    held = content(file, file.stat().st_mtime_ns)
    packed = held.packed is not None and "gzip" in request.accept_encodings
    response = Response(held.packed if packed else held.body)
    response.mimetype = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    response.set_etag(held.digest + ("-gz" if packed else ""))
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if digest == held.digest else "no-cache"
    return response.make_conditional(request)
