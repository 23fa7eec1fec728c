"""A report that requires a permission nobody declares."""

from core.spec.markers import hookimpl
from core.spec.reports import ReportColumn, ReportSource



class Plugin:
    """Broken on purpose."""

    @hookimpl
    def report_sources(self):
        """Contribute a report."""
        columns = (ReportColumn("net", "Net"),)
        return [ReportSource("sales", "Sales", columns, lambda values: (), "zoo_reader.report.view")]
