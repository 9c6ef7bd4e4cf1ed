"""Picture of one drain over time, as an SVG; the looks are those of the real poll plan."""

from collections.abc import Iterator

from natdrain.change.leave.poll_plan import poll_plan

LIMIT, CLOSE_TOGETHER = 350, 60
# The story is made up: seconds from the moment when EC2 accepts the request.
FROM, ASSOCIATED, IN_SERVICE, GONE, TO = -95, -62, -46, 354, 405
CONNECTIONS_END = (6, 11, 19, 27, 36, 44, 58, 66, 83, 101, 127, 158, 196, 236)
NEW, OLD = "198.51.100.4", "203.0.113.7"
LEFT, WIDTH, HEIGHT = 132, 960, 296
NEW_TOP, OLD_TOP, BAR, LOOKS, CUT = 74, 130, 40, 208, "cut end"

STYLE = """
text { font: 13px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: var(--text) }
svg { --back: #ffffff; --edge: #d0d7de; --text: #1f2328; --muted: #57606a; --on: #ffffff;
  --service: #0072b2; --drain: #b35c00; --cut: #a8324a }
@media (prefers-color-scheme: dark) { svg { --back: #14171a; --edge: #3d444d; --text: #e6edf3;
  --muted: #9da7b3; --on: #14171a; --service: #56b4e9; --drain: #e69f00; --cut: #ff8fa3 } }
.name { font-weight: 600 } .muted { fill: var(--muted) } .small { font-size: 12px } .cut { fill: var(--cut) }
.on { fill: var(--on); font-weight: 600 } .middle { text-anchor: middle } .end { text-anchor: end }
.service { fill: var(--service) } .drain { fill: var(--drain) } .faint { opacity: .35 }
.line { stroke: var(--muted); stroke-dasharray: 3 4 } .limit { stroke: var(--cut); stroke-dasharray: 5 3 }
"""


def draw() -> str:
    """Return the picture: two addresses, the moments that matter, and the looks."""
    described = f"<title>One drain: {NEW} comes into service, {OLD} leaves within {LIMIT} s, no cut</title>"
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{described}<style>{STYLE}</style>'
    return "\n".join([head, *_frame(), *_moments(), *_addresses(), *_looks(), "</svg>", ""])


def _frame() -> Iterator[str]:
    edge = f'width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="10" fill="var(--back)" stroke="var(--edge)"'
    yield f'<rect x=".5" y=".5" {edge}/>'
    for top, name in ((NEW_TOP, NEW), (OLD_TOP, OLD)):
        yield _text(LEFT - 14, top + 25, name, "name end")
    yield _text(LEFT - 14, LOOKS + 5, "looks", "muted end")


def _moments() -> Iterator[str]:
    yield f'<path class="line" d="M{_x(0)} 46V{LOOKS + 22}"/>'
    yield f'<path class="limit" d="M{_x(LIMIT)} 46V{LOOKS + 22}"/>'
    yield _text(_x(IN_SERVICE), NEW_TOP - 9, "in service", "muted small middle")
    yield _text(_x(0), 36, f"EC2 accepts: disassociate {OLD}", "middle")
    yield _text(_x(LIMIT), 36, f"drain limit: {LIMIT} s", "cut middle")
    yield _text(
        _x(LIMIT) + 4, HEIGHT - 22, "✂ only what is still open at the limit is cut: here, nothing", CUT
    )


def _addresses() -> Iterator[str]:
    yield _bar("service faint", ASSOCIATED, IN_SERVICE, NEW_TOP)
    yield _bar("service", IN_SERVICE, TO, NEW_TOP)
    yield _text(_x(0) + 12, NEW_TOP + 25, "takes every new connection", "on")
    yield _bar("service", FROM, 0, OLD_TOP)
    bottom, most = OLD_TOP + BAR, len(CONNECTIONS_END)
    steps = (f"H{_x(end)}v{(BAR - 4) / most:.2f}" for end in CONNECTIONS_END)
    yield f'<path class="drain" d="M{_x(0)} {bottom}V{OLD_TOP}{"".join(steps)}H{_x(GONE)}V{bottom}Z"/>'
    yield _text(_x(72), OLD_TOP + 13, "old connections finish", "")
    yield _text(_x(CONNECTIONS_END[-1]) + 10, bottom - 10, "idle", "muted small")
    yield _text(_x(GONE) + 7, bottom, "gone", "name")


def _looks() -> Iterator[str]:
    for second in _looked():
        yield f'<circle class="service" cx="{_x(second)}" cy="{LOOKS}" r="4.5"/>'
    early = [second for second in _looked() if second < CLOSE_TOGETHER]
    labels = {early[0]: ", ".join(map(str, early)), **{at: str(at) for at in _looked()[len(early) :]}}
    for second, label in labels.items():
        yield _text(_x(second) - 4, LOOKS + 25, f"{label} s", "muted small")


def _looked() -> tuple[int, ...]:
    """Return the looks of the poll plan, up to the one that finds the address gone."""
    plan = poll_plan(LIMIT)
    return plan[: 1 + sum(second < GONE for second in plan)]


def _x(second: float) -> float:
    return round(LEFT + (second - FROM) * (WIDTH - 24 - LEFT) / (TO - FROM), 1)


def _bar(look: str, begin: int, end: int, top: int) -> str:
    width = round(_x(end) - _x(begin), 1)
    return f'<rect class="{look}" x="{_x(begin)}" y="{top}" width="{width}" height="{BAR}" rx="2"/>'


def _text(x: float, y: float, text: str, look: str) -> str:
    return f'<text class="{look}" x="{x}" y="{y}">{text}</text>'
