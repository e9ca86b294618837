"""Everything that leaves the library: volumes, table, figure, sidecar, report. All marked."""

from .record import Record, Source, record_of
from .report_pictures import Expected
from .results import write_results
from .tables import headline_lines

__all__ = ["Expected", "Record", "Source", "headline_lines", "record_of", "write_results"]
