"""Amounts beside a column of currencies that is not there."""

from core.spec.markers import hookimpl
from core.spec.reports import ReportColumn, ReportSource



class Plugin:
    """Broken on purpose."""

    @hookimpl
    def report_sources(self):
        """Contribute a report."""
        columns = (ReportColumn("net", "Net", "money", "curency"), ReportColumn("currency", "Currency"))
        return [ReportSource("sales", "Sales", columns, lambda values: (), "orders.desk.view")]
