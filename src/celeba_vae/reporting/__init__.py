"""What a run came to, as one HTML page: a report's parts, tables of measures, and the page made of them."""

from celeba_vae.reporting.document import Cell, Picture, Problem, Report, Section, Table
from celeba_vae.reporting.rendering import render_report
from celeba_vae.reporting.tables import differences_table, measures_table

__all__ = [
    "Cell",
    "Picture",
    "Problem",
    "Report",
    "Section",
    "Table",
    "differences_table",
    "measures_table",
    "render_report",
]
