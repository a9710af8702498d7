"""Native routes, one file per noun."""
