"""Runs for scripts: the same launcher as the panel's, waited for when asked."""

import slicer

from PETSynthLib.request import SynthesisRequest

from .Controller import State
from .Launcher import Launcher
from .Orders import SynthesisOrder
from .Services import sceneEnvironment
from .Settings import Settings


def process(t1Node, flairNode, maskNode, waitForCompletion, fields):
    """See `PETSynth.PETSynthLogic.process`."""
    launcher = Launcher(sceneEnvironment(), Settings())
    found = []
    launcher.imported.connect(lambda nodes, _order: found.append(nodes))
    ids = [None if node is None else node.GetID() for node in (t1Node, flairNode, maskNode)]
    order = SynthesisOrder(*ids, request=SynthesisRequest(t1="", output="", **fields), show=False)
    launcher.launch(order)
    if not waitForCompletion:
        return launcher
    while launcher.controller.busy:
        slicer.app.processEvents()
        launcher.controller.wait(0.05)
    if launcher.controller.state is not State.DONE:
        raise RuntimeError(launcher.controller.message.text)
    launcher.jobs.clear()
    return found[0]
