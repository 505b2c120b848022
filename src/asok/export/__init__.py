"""A site as plain files for any static host, and what such a host can't do of it."""

from asok.export.report import Exported, ExportReport, Shortfall
from asok.export.site import export_site

__all__ = ["ExportReport", "Exported", "Shortfall", "export_site"]
