"""Questions about sizes: which image is larger, by how much, and where the bytes are."""

from helpers.images import package_files
from helpers.notebook.question import question
from helpers.notebook.subject import Subject
from helpers.sizes import file_groups, image_sizes, layer_sizes
from helpers.sizes import waterfall as waterfall_


class Sizes(Subject):
    """Which image is larger, by how much, and where are the bytes?"""

    known = question("Which sizes are known?", image_sizes.kinds_answer)
    difference = question(
        "How much larger is one image than another?", image_sizes.difference_answer
    )
    groups = question("What takes the space?", file_groups.answer)
    parts = question("What is in each group?", file_groups.parts_answer)
    layers = question("What did each instruction add?", layer_sizes.answer)
    instructions = question("Which instruction made which layer?", layer_sizes.table_answer)
    waterfall = question("Where does the difference come from?", waterfall_.answer)
    packages = question("Which packages are the largest?", package_files.largest_answer)
    files = question("Which files are the largest?", file_groups.largest_files_answer)
    limits = question("What does the size not show?", image_sizes.limits_answer)
