"""Questions about the evidence: what was captured, when and with what."""

from helpers.comparability import confounders
from helpers.notebook.question import question
from helpers.notebook.subject import Subject
from helpers.studies import contents
from helpers.studies import provenance as provenance_


class Evidence(Subject):
    """What evidence was captured, when and with what?"""

    about = question("What evidence does the study have?", contents.about_answer)
    sources = question("Where do the images come from?", contents.sources_answer)
    provenance = question("When and how was it captured?", provenance_.answer)
    parts = question("What evidence does each image have?", contents.parts_answer)
    identities = question("Which exact images are these?", contents.identities_answer)
    smoke_test = question("Does the app start in each image?", contents.smoke_test_answer)
    base_layers = question("Which layers come from the base image?", contents.base_layers_answer)
    in_brief = question("How many images have each part of the evidence?", contents.held_answer)
    like_with_like = question("Do the images differ in more than their base?", confounders.answer)
    not_shown = question("What can the study's evidence not show?", contents.not_shown_answer)
