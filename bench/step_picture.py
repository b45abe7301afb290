"""The picture of bench/step: for each workload a bar for the time of a step and one for the fraction of the limit.

It has no background: its text is dark or light as the reader's page is.
"""
import html

from step_summary import LABELS

COLOURS = {"heddle-jit": "#0072b2", "heddle-native": "#56b4e9", "torch-eager": "#d55e00", "torch-compile": "#e69f00",
           "jax": "#009e73"}  # Okabe and Ito: told apart by all eyes
WIDTH, TOP, LEFT, PANEL, BETWEEN = 860, 66, 92, 330, 60  # pixels; a panel is what the longest bar takes
BAR, ROW, GROUP = 11, 14, 16                             # height of a bar, from bar to bar, between workloads
STYLE = """text { fill: #1f2328 } .small { font-size: 10px } .head { font-weight: bold }
line { stroke: #8b949e; stroke-width: 1 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }"""


def bar(x, y, value, scale, name, label):
    width = PANEL * value / scale
    return [f'<rect x="{x}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{COLOURS[name]}"/>',
            f'<text class="small" x="{x + width + 4:.1f}" y="{y + BAR - 2}">{label}</text>']


def draw(results):
    """The SVG of results by workload, as `step_summary.summarise` gives them."""
    present = [name for name in LABELS if any(name in result["rows"] for result in results.values())]
    ratios = [row["to_best_peer"] for result in results.values() for row in result["rows"].values() if row["to_best_peer"]]
    second = LEFT + PANEL + BETWEEN if ratios else LEFT
    out, x, y = [], LEFT, TOP
    for name in present:
        out += [f'<rect x="{x}" y="8" width="{BAR}" height="{BAR}" fill="{COLOURS[name]}"/>',
                f'<text x="{x + 16}" y="18">{html.escape(LABELS[name])}</text>']
        x += 34 + 7 * len(LABELS[name])
    if ratios:
        out.append(f'<text class="head" x="{LEFT}" y="{TOP - 22}">Time of a step, to the best peer’s: less is better</text>')
    out.append(f'<text class="head" x="{second}" y="{TOP - 22}">Fraction of the machine’s limit: more is better</text>')
    for workload, result in results.items():
        rows = result["rows"]
        middle = y + ROW * len(rows) // 2 + 3
        out.append(f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{html.escape(workload)}</text>')
        for name, row in rows.items():
            if row["to_best_peer"]:
                out += bar(LEFT, y, row["to_best_peer"], max(ratios), name, f"{row['to_best_peer']:.2f}")
            out += bar(second, y, min(row["of_limit"], 1), 1, name, f"{row['of_limit']:.0%}")
            y += ROW
        y += GROUP
    if ratios:
        one = LEFT + PANEL / max(ratios)
        out.append(f'<line x1="{one:.1f}" y1="{TOP - 8}" x2="{one:.1f}" y2="{y - GROUP}" stroke-dasharray="3 3"/>')
    for end in (LEFT, second):
        out.append(f'<line x1="{end}" y1="{TOP - 8}" x2="{end}" y2="{y - GROUP}"/>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y - GROUP + 10}" font-family="sans-serif" '
            f'font-size="12">\n<style>{STYLE}</style>\n' +
            "\n".join(out) + "\n</svg>\n")
