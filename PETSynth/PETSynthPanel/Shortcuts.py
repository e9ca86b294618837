"""Keys that work while the module is open; gone when the user leaves it."""

import qt
import slicer


class Shortcuts:
    """Made by `install`, removed by `remove`.

    Parameters
    ----------
    panel
        Widget of the panel: Escape works only while the keyboard is in it.
    actions
        Key sequence -> function.
    local
        Key sequences that work inside the panel only.
    """

    def __init__(self, panel, actions, local=("Esc",)):
        self._panel = panel
        self._actions = actions
        self._local = local
        self._shortcuts = []

    def install(self):
        """Make the shortcuts."""
        if self._shortcuts:
            return
        window = slicer.util.mainWindow() or self._panel
        for keys, action in self._actions.items():
            inside = keys in self._local
            shortcut = qt.QShortcut(self._panel if inside else window)
            shortcut.setKey(qt.QKeySequence(keys))
            if inside:
                shortcut.setContext(qt.Qt.WidgetWithChildrenShortcut)
            shortcut.connect("activated()", action)
            self._shortcuts.append(shortcut)

    def remove(self):
        """Take them away."""
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts = []
