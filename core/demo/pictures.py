"""One line drawing for each product family of the demo."""

from collections.abc import Callable, Iterator
from pathlib import Path

from core.demo.drawing import (
    BRASS,
    DARK,
    LIGHT,
    NONE,
    RUBBER,
    STEEL,
    around,
    axis,
    box,
    disc,
    hatch,
    hexagon,
    path,
    shape,
    sheet,
    stroke,
    thread,
)  # fmt: skip

Parts = Iterator[str]


def _hex_bolt(shank: float = 0) -> Parts:
    yield shape([(40, 95), (52, 88), (95, 88), (95, 212), (52, 212), (40, 205)])
    yield stroke((40, 124), (95, 124))
    yield stroke((40, 176), (95, 176))
    if shank:
        yield box(95, 118, shank, 64)
    yield thread(95 + shank, 118, 165 - shank, 64)
    yield shape([(260, 118), (272, 126), (272, 174), (260, 182)])
    yield axis((20, 150), (290, 150))
    yield hexagon(342, 150, 44, STEEL, 30)
    yield disc(342, 150, 34, NONE)


def _socket_head() -> Parts:
    yield box(40, 100, 70, 100, STEEL, 6)
    yield "".join(stroke((50, y), (100, y), width=1) for y in range(108, 200, 8))
    yield thread(110, 120, 150, 60)
    yield shape([(260, 120), (270, 128), (270, 172), (260, 180)])
    yield axis((20, 150), (288, 150))
    yield disc(342, 150, 46)
    yield hexagon(342, 150, 25, DARK, 30)


def _countersunk() -> Parts:
    yield shape([(46, 90), (56, 90), (110, 122), (110, 178), (56, 210), (46, 210)])
    yield thread(110, 122, 150, 56)
    yield axis((26, 150), (280, 150))
    yield disc(342, 150, 48)
    yield hexagon(342, 150, 20, DARK, 30)


def _hex_nut(lock: bool = False) -> Parts:
    yield hexagon(135, 150, 84, STEEL, 30)
    yield disc(135, 150, 70, NONE)
    yield disc(135, 150, 42, RUBBER if lock else LIGHT)
    yield disc(135, 150, 36, LIGHT)
    yield shape([(270, 78), (318, 78), (330, 86), (330, 214), (318, 222), (270, 222), (258, 214), (258, 86)])
    yield stroke((258, 114), (330, 114))
    yield stroke((258, 186), (330, 186))
    if lock:
        yield shape([(330, 110), (352, 116), (352, 184), (330, 190)], DARK)
    yield axis((238, 150), (370, 150))


def _washer() -> Parts:
    yield disc(150, 150, 94)
    yield disc(150, 150, 50, LIGHT)
    yield axis((40, 150), (260, 150))
    yield axis((150, 40), (150, 260))
    yield box(300, 56, 20, 188)
    yield stroke((300, 100), (320, 100))
    yield stroke((300, 200), (320, 200))


def _threaded_rod() -> Parts:
    yield thread(36, 124, 328, 52, 9)
    yield axis((16, 150), (384, 150))


def _ball_bearing() -> Parts:
    for radius, fill in ((112, STEEL), (92, LIGHT), (66, STEEL), (46, LIGHT)):
        yield disc(150, 150, radius, fill)
    yield from (disc(x, y, 14, DARK) for x, y in around(150, 150, 79, 10))
    yield axis((28, 150), (272, 150))
    yield from _cut_ring(300, 38, 50)


def _cut_ring(x: float, y: float, width: float) -> Parts:
    yield box(x, y, width, 224, LIGHT)
    for top in (y, y + 180):
        yield box(x, top, width, 44, STEEL)
        yield hatch(x, top, width, 44)
        yield disc(x + width / 2, top + 22, 13, DARK)
    yield axis((x - 14, y + 112), (x + width + 14, y + 112))


def _taper_bearing() -> Parts:
    for radius, fill in ((112, STEEL), (90, LIGHT), (64, STEEL), (46, LIGHT)):
        yield disc(150, 150, radius, fill)
    yield from (disc(x, y, 9, DARK) for x, y in around(150, 150, 77, 18))
    yield box(296, 38, 62, 224, LIGHT)
    yield shape([(296, 38), (358, 38), (358, 58), (296, 66)])
    yield shape([(302, 72), (354, 62), (354, 88), (302, 94)], DARK)
    yield shape([(296, 262), (358, 262), (358, 242), (296, 234)])
    yield shape([(302, 228), (354, 238), (354, 212), (302, 206)], DARK)
    yield axis((282, 150), (374, 150))


def _pillow_block() -> Parts:
    yield path("M40 240 L40 206 L96 198 C104 92 296 92 304 198 L360 206 L360 240 Z", STEEL)
    yield disc(200, 168, 66, LIGHT)
    yield disc(200, 168, 50, STEEL)
    yield disc(200, 168, 34, LIGHT)
    yield from (box(x, 214, 26, 14, LIGHT, 7) for x in (54, 320))
    yield axis((110, 168), (290, 168))
    yield axis((200, 70), (200, 256))


def _circlip(inside: bool) -> Parts:
    if inside:
        yield path("M174 60 A92 92 0 1 0 226 60 L222 92 A62 62 0 1 1 178 92 Z", STEEL)
        yield from (disc(x, 84, 7, LIGHT) for x in (172, 228))
    else:
        yield path(
            "M168 52 A100 100 0 1 0 232 52 L224 34 L206 40 L214 84 A72 72 0 1 1 186 84 L194 40 L176 34 Z",
            STEEL,
        )
        yield from (disc(x, 56, 7, LIGHT) for x in (188, 212))
    yield axis((80, 148), (320, 148))
    yield axis((200, 24), (200, 262))


def _o_ring() -> Parts:
    yield disc(160, 150, 104, RUBBER)
    yield disc(160, 150, 78, "#ffffff")
    yield axis((40, 150), (280, 150))
    yield disc(334, 59, 13, RUBBER)
    yield disc(334, 241, 13, RUBBER)
    yield axis((334, 34), (334, 266))


def _elbow() -> Parts:
    yield path(
        "M90 250 L90 190 C90 120 130 80 200 80 L270 80 L270 160 L214 160 C186 160 172 174 172 202 L172 250 Z",
        STEEL,
    )
    yield box(270, 66, 44, 108, LIGHT, 5)
    yield box(77, 232, 108, 44, LIGHT, 5)
    yield axis((131, 292), (131, 150))
    yield axis((180, 120), (336, 120))


def _tee() -> Parts:
    yield box(84, 96, 232, 84)
    yield box(158, 180, 84, 64)
    yield from (box(x, 84, 42, 108, LIGHT, 5) for x in (52, 306))
    yield box(146, 232, 108, 40, LIGHT, 5)
    yield axis((30, 138), (370, 138))
    yield axis((200, 138), (200, 290))


def _socket() -> Parts:
    yield box(96, 96, 208, 108)
    yield from (box(x, 84, 42, 132, LIGHT, 5) for x in (72, 286))
    yield axis((44, 150), (356, 150))


def _nipple() -> Parts:
    yield thread(60, 104, 110, 92, 9)
    yield thread(230, 104, 110, 92, 9)
    yield box(164, 84, 72, 132, STEEL, 4)
    yield stroke((164, 122), (236, 122))
    yield stroke((164, 178), (236, 178))
    yield axis((36, 150), (364, 150))


def _reducer() -> Parts:
    yield shape([(110, 78), (190, 78), (236, 108), (292, 108), (292, 192), (236, 192), (190, 222), (110, 222)])
    yield box(72, 66, 44, 168, LIGHT, 5)
    yield box(286, 98, 42, 104, LIGHT, 5)
    yield axis((48, 150), (352, 150))


def _plug() -> Parts:
    yield thread(172, 96, 140, 108, 9)
    yield box(92, 110, 84, 80, STEEL, 4)
    yield stroke((92, 138), (176, 138))
    yield axis((66, 150), (336, 150))


def _cap() -> Parts:
    yield path("M130 78 L240 78 C284 78 300 108 300 150 C300 192 284 222 240 222 L130 222 Z", STEEL)
    yield box(92, 66, 46, 168, LIGHT, 5)
    yield axis((66, 150), (330, 150))


def _union() -> Parts:
    yield box(70, 104, 260, 92)
    yield from (box(x, 90, 40, 120, LIGHT, 5) for x in (56, 304))
    yield shape([(150, 74), (250, 74), (258, 84), (258, 216), (250, 226), (150, 226), (142, 216), (142, 84)])
    yield stroke((142, 116), (258, 116))
    yield stroke((142, 184), (258, 184))
    yield axis((30, 150), (370, 150))


def _compression() -> Parts:
    yield box(40, 122, 320, 56, "#e7b98f")
    yield box(120, 104, 160, 92, BRASS)
    for x in (96, 238):
        yield box(x, 88, 66, 124, BRASS, 5)
        yield stroke((x, 126), (x + 66, 126))
        yield stroke((x, 174), (x + 66, 174))
    yield axis((22, 150), (378, 150))


def _pipe() -> Parts:
    yield path("M84 96 L330 96 C350 96 364 120 364 150 C364 180 350 204 330 204 L84 204 Z", STEEL)
    yield '<ellipse cx="84" cy="150" rx="34" ry="54" fill="#dfe6ec" stroke="#24384c" stroke-width="3"/>'
    yield '<ellipse cx="84" cy="150" rx="24" ry="41" fill="#b9c6d2" stroke="#24384c" stroke-width="3"/>'
    yield axis((26, 150), (386, 150))


def _ball_valve() -> Parts:
    yield box(70, 156, 260, 74, BRASS)
    yield from (box(x, 142, 52, 102, BRASS, 5) for x in (50, 298))
    yield path("M140 156 C150 112 250 112 260 156 L260 230 C250 268 150 268 140 230 Z", BRASS)
    yield disc(200, 193, 32, LIGHT)
    yield box(186, 86, 28, 40, DARK)
    yield shape([(180, 70), (352, 52), (358, 70), (214, 88), (180, 88)], "#b33a3a")
    yield axis((26, 193), (374, 193))


def _gasket() -> Parts:
    yield disc(180, 150, 112, DARK)
    yield disc(180, 150, 64, "#ffffff")
    yield axis((50, 150), (310, 150))
    yield axis((180, 22), (180, 278))
    yield box(342, 38, 10, 224, DARK)


PICTURES: dict[str, Callable[[], Parts]] = {
    "hex-bolt": _hex_bolt,
    "hex-bolt-shank": lambda: _hex_bolt(80),
    "socket-head": _socket_head,
    "countersunk": _countersunk,
    "hex-nut": _hex_nut,
    "lock-nut": lambda: _hex_nut(lock=True),
    "washer": _washer,
    "threaded-rod": _threaded_rod,
    "ball-bearing": _ball_bearing,
    "taper-bearing": _taper_bearing,
    "pillow-block": _pillow_block,
    "circlip-shaft": lambda: _circlip(inside=False),
    "circlip-bore": lambda: _circlip(inside=True),
    "o-ring": _o_ring,
    "elbow": _elbow,
    "tee": _tee,
    "socket": _socket,
    "nipple": _nipple,
    "reducer": _reducer,
    "plug": _plug,
    "cap": _cap,
    "union": _union,
    "compression": _compression,
    "pipe": _pipe,
    "ball-valve": _ball_valve,
    "gasket": _gasket,
}


def write_pictures(folder: Path) -> int:
    """Write every drawing as NAME.svg and return how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        (folder / f"{name}.svg").write_text(sheet(draw()), encoding="utf-8")
    return len(PICTURES)
