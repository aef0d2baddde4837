"""A small renderer that draws fruit on a table, for the bundled sample set."""
