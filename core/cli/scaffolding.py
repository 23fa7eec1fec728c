"""Make a new addon from the templates in `scaffold/`: only the parts that were asked for, each with its test."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.registry.manifest import NAME, RESERVED
from core.version import VERSION

Kind = Literal["folder", "package"]
WIDTH = 125
TEMPLATES = Path(__file__).parent / "scaffold"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an addon: its files (template, place), the hook types it uses, its methods, and parts it needs."""

    files: tuple[tuple[str, str], ...]
    types: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    methods: tuple[tuple[str, str, str, str], ...] = ()  # hook, result, docstring, body
    needs: tuple[str, ...] = ()


PARTS: dict[str, Part] = {
    "models": Part(
        (
            ("models.py", "models.py"),
            ("services.py", "services.py"),
            ("0001_initial.py", "migrations/versions/0001_initial.py"),
            ("test_models.py", "tests/test_models.py"),
        )
    ),
    "views": Part(
        (
            ("permissions.py", "permissions.py"),
            ("views.py", "views.py"),
            ("home.html", "templates/{name}/home.html"),
            ("test_views.py", "tests/test_views.py"),
        ),
        ("Mount", "NavItem", "Permission"),
        ("permissions", "views"),
        (
            ("app_mounts", "Mount", "Mount the page.", 'return (Mount(views.bp, "admin"),)'),
            ("app_permissions", "Permission", "Declare who may see it.", "return permissions.PERMISSIONS"),
            (
                "ui_nav",
                "NavItem",
                "Lead to the page.",
                'page = "{name}.home"\n        '
                'return (NavItem("{name}", _l("{title}"), page, permissions.VIEW, "customers", icon="box-seam"),)',
            ),
        ),
    ),
    "panel": Part(
        (
            ("permissions.py", "permissions.py"),
            ("panels.py", "panels.py"),
            ("panel.html", "templates/{name}/panel.html"),
            ("test_panels.py", "tests/test_panels.py"),
        ),
        ("Panel", "Permission"),
        ("panels", "permissions"),
        (
            ("app_permissions", "Permission", "Declare who may see it.", "return permissions.PERMISSIONS"),
            ("ui_panels", "Panel", "Fill slots of core's pages.", "return panels.PANELS"),
        ),
        ("models",),
    ),
    "api": Part(
        (("permissions.py", "permissions.py"), ("api.py", "api.py"), ("test_api.py", "tests/test_api.py")),
        ("ApiResource", "Permission"),
        ("api", "permissions"),
        (
            ("app_permissions", "Permission", "Declare who may see it.", "return permissions.PERMISSIONS"),
            ("api_resources", "ApiResource", "Offer notes to programs.", 'return (ApiResource("notes", api.bp),)'),
        ),
        ("models",),
    ),
    "prices": Part(
        (("prices.py", "prices.py"), ("test_prices.py", "tests/test_prices.py")),
        ("BreakQuantities", "PriceStep"),
        ("prices",),
        (
            ("price_steps", "PriceStep", "Change prices.", "return prices.STEPS"),
            ("price_breaks", "BreakQuantities", "Name the quantities at which they change.", "return prices.breaks(batch)"),
        ),
    ),
    "checkout": Part(
        (("checkout.py", "checkout.py"), ("test_checkout.py", "tests/test_checkout.py")),
        ("CheckoutRule",),
        ("checkout",),
        (("checkout_rules", "CheckoutRule", "Look at orders before they are placed.", "return checkout.RULES"),),
    ),
    "settings": Part(
        (("settings.py", "settings.py"), ("test_settings.py", "tests/test_settings.py")),
        ("SettingSpec",),
        ("settings",),
        (("app_settings", "SettingSpec", "Let merchants decide.", "return settings.SETTINGS"),),
    ),
    "jobs": Part(
        (("jobs.py", "jobs.py"), ("test_jobs.py", "tests/test_jobs.py")),
        ("JobSpec",),
        ("jobs",),
        (("app_jobs", "JobSpec", "Work at night.", "return jobs.JOBS"),),
    ),
}
_FUTURE = "from __future__ import annotations"
#: With tables, the page shows them.
_WITH_MODELS = {"views.py": "views_models.py", "home.html": "home_models.html", "test_views.py": "test_views_models.py"}


class ScaffoldRefused(Exception):
    """The addon cannot be made; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What is to be made: a folder addon, or a package that becomes a wheel."""

    name: str
    title: str
    kind: Kind
    parts: tuple[str, ...]

    @property
    def class_name(self) -> str:
        """The plugin's class."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def project(self) -> str:
        """The outermost folder that is made."""
        return self.name if self.kind == "folder" else f"tukku-{self.name.replace('_', '-')}"


def plan(name: str, title: str, kind: Kind, asked: Collection[str]) -> Blueprint:
    """Return what would be made; refuses a name that cannot be an addon's, and unknown parts."""
    if not NAME.fullmatch(name):
        raise ScaffoldRefused(f"{name!r} is not 3 to 30 small letters, digits and underscores that begin with a letter.")
    if name in RESERVED:
        raise ScaffoldRefused(f"{name} is a name that core uses itself. Choose another name.")
    if '"' in title or "'" in title or "\\" in title or "{" in title or "%" in title:
        raise ScaffoldRefused("The title is written into code: leave out quotes, backslashes, braces and percent signs.")
    unknown = sorted(set(asked) - set(PARTS))
    if unknown:
        raise ScaffoldRefused(f"There is no part {unknown[0]}. Parts are {', '.join(PARTS)}.")
    needed = {need for part in asked for need in PARTS[part].needs}
    return Blueprint(
        name, title or name.replace("_", " ").capitalize(), kind, tuple(p for p in PARTS if p in {*asked, *needed})
    )


def make(blueprint: Blueprint, parent: Path) -> Path:
    """Write the addon into a new folder below ``parent`` and return it; an existing one is left alone."""
    project = parent / blueprint.project
    if project.exists():
        raise ScaffoldRefused(f"{project} is there already. Remove it, or choose another name or folder.")
    addon = project if blueprint.kind == "folder" else project / blueprint.name
    for template, place in _files(blueprint):
        _write(addon / place, _filled(blueprint, template))
    _write(addon / "__init__.py", f'"""{blueprint.title}."""\n')
    _write(addon / "tests" / "__init__.py", "")
    _write(addon / "plugin.py", _plugin(blueprint))
    if blueprint.kind == "package":
        for name in ("pyproject.toml", "setup.cfg", "README.md"):
            _write(project / name, _filled(blueprint, name))
    return project


def _files(blueprint: Blueprint) -> Iterator[tuple[str, str]]:
    """Yield (template, place) once each."""
    general = ["addon.toml", "README.md", "CHANGES.md"]
    found = {name: name for name in general}
    found["tests/test_contract.py"] = "test_contract.py"
    for part in blueprint.parts:
        for template, place in PARTS[part].files:
            better = _WITH_MODELS.get(template, template) if "models" in blueprint.parts else template
            found[place.format(name=blueprint.name)] = better
    yield from ((template, place) for place, template in found.items())


def _filled(blueprint: Blueprint, template: str) -> str:
    text = (TEMPLATES / f"{template}.tmpl").read_text(encoding="utf-8")
    major, minor = VERSION.split(".")[:2]
    folder = blueprint.project
    for word, value in {
        "@name@": blueprint.name,
        "@NAME@": blueprint.name.upper(),
        "@title@": blueprint.title,
        "@class@": blueprint.class_name,
        "@import@": f"addons.{blueprint.name}" if blueprint.kind == "folder" else blueprint.name,
        "@dashed@": blueprint.name.replace("_", "-"),
        "@core@": f">={major}.{minor},<{major}.{int(minor) + 1}",
        "@folder@": folder,
        "@paths@": "TUKKU_ADDON_PATHS=. " if blueprint.kind == "folder" else f"TUKKU_ADDON_PATHS={folder} ",
    }.items():
        text = text.replace(word, value)
    return text


def _plugin(blueprint: Blueprint) -> str:
    """Return the plugin: it declares, and delegates to the modules of the parts."""
    parts = [PARTS[name] for name in blueprint.parts]
    types = [*sorted({t for part in parts for t in part.types}), "hookimpl"]
    modules = sorted({m for part in parts for m in part.modules})
    methods = {m[0]: m for part in parts for m in part.methods}
    lines = ['"""What the addon contributes; the modules beside this one do the work."""', ""]
    if methods:
        lines += [_FUTURE, "", "from collections.abc import Iterable", "", *_imported("core.api.hooks", types)]
    if "ui_nav" in methods:
        lines += ["from core.api.i18n import translations"]
    if "price_breaks" in methods:
        lines += ["from core.api.pricing import PriceBatch"]
    lines += ["", f"from . import {', '.join(modules)}"] if modules else []
    lines += ["", "_, _l, ngettext, _p = translations(__name__)"] if "ui_nav" in methods else []
    lines += [*([""] if methods else []), "", f"class {blueprint.class_name}:", f'    """{blueprint.title}."""']
    for hook, result, docstring, body in methods.values():
        argument = ", batch: PriceBatch" if hook == "price_breaks" else ""
        lines += [
            "",
            "    @hookimpl",
            f"    def {hook}(self{argument}) -> Iterable[{result}]:",
            f'        """{docstring}"""',
            f"        {body.format(name=blueprint.name, title=blueprint.title)}",
        ]
    return "\n".join(lines) + "\n"


def _imported(module: str, names: Sequence[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    return [line] if len(line) <= WIDTH else [f"from {module} import (", *(f"    {name}," for name in names), ")"]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
