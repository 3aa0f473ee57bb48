"""Draw the sample company's PDF and floor plan; run again only when their words change."""

from pathlib import Path

import pymupdf

FOLDER = Path(__file__).parent
SUMMARY = """\
This summary repeats the main points of the framework agreement between Larkmoor B.V.,
Rotterdam, and Polar Parts Lda., Porto. Where it differs from the agreement, the agreement counts.

1. Tools and moulds are paid for by Larkmoor and stay its property. Polar Parts stores them
free of charge and returns them within 20 working days after the end of the agreement.

2. Quality. Up to 0.4 % faulty housings a delivery are accepted. Above that, Polar Parts
replaces the whole delivery within 15 working days at its own cost.

3. Warranty. Polar Parts warrants seals for 36 months and housings for 60 months.

4. Liability is limited to 250,000 EUR a year, except for intent and gross negligence.

5. Samples. New parts are released after a first sample of 50 pieces has passed Larkmoor's
freezing test: 200 cycles between -30 and +20 degrees.
"""
ROOMS = {"Iceberg": (20, 20, 180, 130), "Igloo": (190, 20, 290, 75), "Freezer": (190, 85, 290, 130)}


def write_summary(target: Path) -> None:
    document = pymupdf.open()
    page = document.new_page(width=595, height=842)
    page.insert_text((60, 80), "Framework agreement: summary", fontsize=18, fontname="hebo")
    page.insert_text((60, 102), "Larkmoor / Polar Parts, signed on 26 February 2025", fontsize=10.5)
    page.insert_textbox((60, 130, 545, 520), SUMMARY, fontsize=10.5, lineheight=1.5)
    page.insert_text((60, 560), "Frank Tanaka, Larkmoor          Ines Duarte, Polar Parts", fontsize=10.5)
    document.set_metadata({"title": "Framework agreement: summary", "author": "Larkmoor"})
    document.save(target, deflate=True, garbage=4, no_new_id=True)


def write_floor_plan(target: Path) -> None:
    page = pymupdf.open().new_page(width=320, height=200)
    page.draw_rect((10, 10, 310, 190), width=2)
    for name, corners in ROOMS.items():
        page.draw_rect(corners, width=1)
        page.insert_text((corners[0] + 8, corners[1] + 20), name, fontsize=11)
    page.insert_text((20, 165), "Kitchen", fontsize=11)
    page.insert_text((215, 165), "Front desk", fontsize=11)
    page.get_pixmap(dpi=144).save(target)


if __name__ == "__main__":
    write_summary(FOLDER / "polar-parts-summary.pdf")
    write_floor_plan(FOLDER / "floor-plan.png")
