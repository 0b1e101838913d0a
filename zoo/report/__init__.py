"""Reports: what a model does well and badly on a split, as one HTML page with its pictures."""

from zoo.report.values import Answers, Classified, Generated, Shown, Span, Tagged, TextLoss

__all__ = ["Answers", "Classified", "Generated", "Shown", "Span", "Tagged", "TextLoss"]
