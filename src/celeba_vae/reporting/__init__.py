"""What people look at: grids, charts, previews, and the report as one HTML page."""
