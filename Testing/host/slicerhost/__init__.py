"""A test host for scripted Slicer modules: the real MRML of slicer-core, Qt by PySide6, no desktop.

It loads a module's Python and `.ui` unmodified. What is real: the scene, its nodes, logics,
storage, slice and 3D rendering, `slicer.util`. What is a stand-in: every ctk and qMRML widget,
`slicer.app`, and (unless SLICER_PYTHON_DIR names Slicer's `Base/Python`) the module base classes
and the parameter node. It therefore shows that a panel is wired and behaves as designed, not that
it looks or runs so in the desktop application. Pictures made with it say "test host".

Modules that need PySide6 and slicer-core are imported by `slicerhost.host.install()`, not here.
"""
