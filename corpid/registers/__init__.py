"""Official sources about businesses, behind one port: sample data, files, the live open data."""
