"""The starter list of feeds: outlets that cover Syria and Libya, and the table of them in the documentation."""
