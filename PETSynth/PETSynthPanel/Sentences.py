"""Findings in the user's language; what is not in here is shown as the library said it.

A finding's ``key`` says which sentence it is, its ``value`` is the number in it.
"""

from slicer.i18n import tr as _


def sentence(key, value, said):
    """The sentence of ``key`` for ``value``; ``said``, the library's own, where there is none."""
    words = _WORDS.get(key)
    # Called at the moment of showing: only then the language is known.
    return said if words is None else words().format(value=value)


def told(finding):
    """The sentence of a finding as ``result.json`` has it."""
    return sentence(finding["key"], finding["value"], finding["sentence"])


_WORDS = {
    "sequence.green": lambda: _("Called a T1."),
    "sequence.amber": lambda: _(
        "Nothing confirms that this is a T1. The worker will look at its contrast."
    ),
    "sequence.red": lambda: _("Values down to {value:.0f}: this looks like CT, not MRI."),
    "contrast_agent.red": lambda: _(
        "A contrast agent was given: the model has not seen such images."
    ),
    "contrast_agent.seen_amber": lambda: _(
        "{value:.2g} % of the brain is brighter than any tissue of a T1: vessels by inflow, a "
        "lesion, or a contrast agent."
    ),
    "contrast_agent.seen_red": lambda: _(
        "{value:.2g} % of the brain is brighter than any tissue of a T1, as after a contrast "
        "agent; the models have not seen such images."
    ),
    "t1_contrast.amber": lambda: _("White and grey matter hardly differ in the T1."),
    "t1_image.red": lambda: _("The T1 has no voxels."),
    "t1_right_angles.red": lambda: _(
        "The image's axes are not at right angles, so positions cannot be trusted."
    ),
    "quick_voxels.green": lambda: _("{value} mm."),
    "quick_voxels.amber": lambda: _("{value} mm: small structures will be blurred."),
    "quick_voxels.red": lambda: _("{value} mm: the slices are too thick."),
    "t1_slice_thickness.amber": lambda: _(
        "The slices of the T1 are {value:.1f} mm thick: small structures such as the hippocampus "
        "are not resolved."
    ),
    "quick_coverage.green": lambda: _("The head seems to lie inside the image."),
    "quick_coverage.amber": lambda: _(
        "The image ends inside the head at the top: part of the brain may be missing."
    ),
    "quick_coverage.red": lambda: _("The image covers only {value} mm."),
    "coverage.amber": lambda: _(
        "The brain touches the edge of the scan: {value:.1%} of it is covered, values near the "
        "edge are unreliable."
    ),
    "flair.same_image": lambda: _("T1 and FLAIR are the same image."),
    "flair.other_patient": lambda: _("DICOM says that T1 and FLAIR belong to different patients."),
    "flair.empty": lambda: _("The FLAIR has no voxels."),
    "flair.thick": lambda: _("Slices of {value:.1f} mm: used, but small lesions are blurred."),
    "flair.apart": lambda: _("Its middle lies {value:.0f} mm from the T1's; it will be aligned."),
    "flair_match.amber": lambda: _(
        "The FLAIR matches the T1 only roughly: check that it is of the same visit."
    ),
    "dicom_study.amber": lambda: _(
        "The T1 has no DICOM source; the DICOM files start a new study."
    ),
    "dicom_study.unproved": lambda: _(
        "The DICOM series has the geometry of the T1; its voxels could not be compared, because "
        "the T1's file is no longer where it was."
    ),
}
