"""An exception in each kind of batch hook."""

from core.spec.markers import hookimpl


class Plugin:
    """Fails while serving."""

    @hookimpl
    def catalog_visibility(self, query):
        """Fail closed."""
        raise ValueError("no visibility")

    @hookimpl
    def addon_disable_impact(self, addon):
        """Fail alone."""
        raise ValueError("no impact")

    @hookimpl
    def quantity_rules(self, lines, company_id):
        """Return something else."""
        return ["three"]
