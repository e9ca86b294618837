"""The lights: what can be overridden, what becomes of it, and in which words it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import slicer

from PETSynthLib.checks import OVERRIDABLE
from PETSynthLib.run import events


@pytest.fixture
def look(panel: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``look(finding, ...)``: what the quick look finds in the next image."""
    import PETSynthScene as Scene

    def finds(*findings: Any) -> None:
        monkeypatch.setattr(Scene, "quickFindings", lambda *_: list(findings))

    finds()
    return finds


def red(name: str) -> Any:
    """A red finding whose words have no translation."""
    # Here and not above: a test that reads the module again reads the library again, too.
    from PETSynthLib.checks import Finding, Verdict

    return Finding(name, 0, "", Verdict.RED, "It is bad.", key="none")


def choose(panel: Any) -> Any:
    """A head of which nothing is overridden."""
    node = panel.chooseHead()
    panel.parameters.input.overridden = ""
    panel.panel.input._checked = None
    panel.panel.refresh()
    return node


def click(panel: Any, light: str) -> None:
    """Click the link of a light."""
    text = getattr(panel.ui, light).text
    target = text.split('<a href="', 1)[1].split('"', 1)[0]
    panel.panel.input.lights._onLink(target)
    slicer.app.processEvents()


LIGHTS = {
    "contrast_agent": "lightSequence",
    "t1_slice_thickness": "lightVoxels",
    "t1_anisotropy": "lightVoxels",
    "coverage": "lightCoverage",
    "t1_intensities": "lightSequence",
}


@pytest.mark.parametrize("name", OVERRIDABLE)
def test_use_anyway_turns_the_light_amber_and_tells_the_worker(
    panel: Any, look: Any, name: str
) -> None:
    look(red(name))
    choose(panel)
    assert not panel.ui.runButton.enabled
    assert "stops the run: It is bad." in panel.ui.runButton.toolTip
    click(panel, LIGHTS[name])
    assert "(overridden)" in getattr(panel.ui, LIGHTS[name]).text
    panel.run()
    assert panel.request["overridden_checks"] == [name]


def test_overriding_one_light_opens_no_other(panel: Any, look: Any) -> None:
    look(red("t1_slice_thickness"), red("coverage"))
    choose(panel)
    click(panel, "lightVoxels")
    assert not panel.ui.runButton.enabled
    assert "Use anyway" in panel.ui.lightCoverage.text
    click(panel, "lightCoverage")
    panel.run()
    assert panel.request["overridden_checks"] == ["coverage", "t1_slice_thickness"]


@pytest.mark.parametrize(
    ("name", "light"),
    [
        ("sequence", "lightSequence"),
        ("t1_right_angles", "lightVoxels"),
        ("t1_image", "lightVoxels"),
        ("flair", "lightFlair"),
    ],
)
def test_what_makes_a_result_meaningless_is_never_offered(
    panel: Any, look: Any, name: str, light: str
) -> None:
    look(red(name))
    choose(panel)
    panel.parameters.input.flair = panel.head.node(slicer.mrmlScene, "Head FLAIR")
    panel.parameters.input.overridden = name  # not even by a scene that says so
    panel.panel.refresh()
    assert "Use anyway" not in getattr(panel.ui, light).text
    assert not panel.ui.runButton.enabled


def test_another_image_has_to_be_overridden_anew(panel: Any, look: Any) -> None:
    look(red("coverage"))
    choose(panel)
    click(panel, "lightCoverage")
    assert panel.ui.runButton.enabled
    panel.ui.t1wSelector.setCurrentNode(panel.head.node(slicer.mrmlScene, "Other T1w"))
    assert not panel.ui.runButton.enabled


def test_a_queue_does_not_inherit_what_was_overridden(panel: Any, look: Any) -> None:
    look(red("coverage"))
    choose(panel)
    click(panel, "lightCoverage")
    assert panel.panel.tracer.request().overridden_checks == ()


class TestWorker:
    REFUSED = events.Failure(
        "BAD_GEOMETRY", "The scan covers only 80 % of the brain.", "Use another.", None, "coverage"
    )

    def test_a_refusal_that_may_be_overridden_offers_it(self, panel: Any, look: Any) -> None:
        choose(panel)
        panel.run().say(self.REFUSED)
        panel.process.end(2)
        assert panel.ui.messageButton2.text == "Use anyway"
        panel.ui.messageButton2.click()
        assert len(panel.processes) == 2
        assert panel.request["overridden_checks"] == ["coverage"]

    def test_any_other_refusal_does_not(self, panel: Any, look: Any) -> None:
        choose(panel)
        panel.run().say(replace(self.REFUSED, check=""))
        panel.process.end(2)
        assert "Use anyway" not in (panel.ui.messageButton1.text, panel.ui.messageButton2.text)

    def test_an_overridden_check_is_amber_with_the_workers_words(
        self, panel: Any, look: Any
    ) -> None:
        look(red("coverage"))
        choose(panel)
        click(panel, "lightCoverage")
        said = "The scan covers only 80 % of the brain. Overridden by the user."
        panel.run().say(events.Warn("coverage", said, 0.8))
        assert panel.ui.lightCoverage.text == said


class TestWords:
    @pytest.fixture(autouse=True)
    def shouted(self, panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A language in which everything is shouted."""
        from PETSynthPanel import Sentences

        monkeypatch.setattr(Sentences, "_", lambda text: text.replace("The brain", "THE BRAIN"))

    def test_a_known_key_is_told_in_the_users_language(self, panel: Any, look: Any) -> None:
        choose(panel)
        panel.run().say(events.Warn("coverage", "as the library says it", 0.973))
        assert panel.ui.lightCoverage.text == (
            "THE BRAIN touches the edge of the scan: 97.3% of it is covered, values near the edge "
            "are unreliable."
        )

    def test_an_unknown_key_is_told_as_the_library_says_it(self, panel: Any, look: Any) -> None:
        choose(panel)
        panel.run().say(events.Warn("region_coverage", "The brain is small.", 3))
        assert panel.ui.lightCoverage.text == "The brain is small."


def test_every_sentence_of_the_quick_look_can_be_translated(panel: Any) -> None:
    """The panel's words are the library's own, so that nothing changes without a translation."""
    import PETSynthScene as Scene
    from PETSynthPanel.Sentences import sentence

    node = panel.chooseHead()
    flair = panel.head.node(slicer.mrmlScene, "Head FLAIR")
    for finding in Scene.quickFindings(panel.panel.context.environment, node, flair):
        assert sentence(finding.key, finding.value, "no words") == finding.sentence
