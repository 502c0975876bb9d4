"""The colours that all figures share; no matplotlib, so that `gaikan pick` starts quickly."""

INK, QUIET, RULE = "#222222", "#666666", "#dddddd"

# Okabe and Ito, "Color Universal Design" (2008), without its yellow, which fades on white.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#333333")
