"""Reports: what a model does well and badly on a split, as one HTML page with its pictures.

A task hands over one of the values of `zoo.report.values`; `zoo.report.write` makes the page.
"""
