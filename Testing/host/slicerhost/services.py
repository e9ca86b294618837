"""Stand-ins for what a module asks of Slicer's other Python parts; none uses the network.

`Packages` stands for pip: `slicer.packaging` and `slicer.util.pip_install` note what was asked
for and do nothing, or fail with the text a test has chosen. `makeSampleData` is the module
SampleData, as far as registration and own downloaders go.
"""

from __future__ import annotations

import dataclasses
import subprocess
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from packaging.requirements import Requirement


@dataclasses.dataclass
class Packages:
    """What pip was asked for in this test.

    Attributes
    ----------
    requested : list of str
        Requirements, in order.
    failure : str or None
        When set, installing raises subprocess.CalledProcessError with this output.
    missing : set of str
        Names of packages that `pip_check` reports as not installed.
    """

    requested: list[str] = dataclasses.field(default_factory=list)
    failure: str | None = None
    missing: set[str] = dataclasses.field(default_factory=set)

    def reset(self) -> None:
        self.requested.clear()
        self.missing.clear()
        self.failure = None

    def install(self, requirements: Any, *_args: Any, **_kwargs: Any) -> list[str]:
        """`pip_install` and `pip_ensure`."""
        if isinstance(requirements, str):
            requirements = requirements.split()
        if not isinstance(requirements, list | tuple):
            requirements = [requirements]
        self.requested.extend(str(r) for r in requirements)
        if self.failure is not None:
            raise subprocess.CalledProcessError(1, ["pip", "install"], output=self.failure)
        self.missing -= {Requirement(str(r)).name for r in requirements if str(r)[0].isalnum()}
        return []

    def check(self, requirements: Any) -> bool:
        """`pip_check`."""
        if isinstance(requirements, str | Requirement):
            requirements = [requirements]
        return not any(Requirement(str(r)).name in self.missing for r in requirements)

    def module(self) -> types.ModuleType:
        """`slicer.packaging` (Slicer 5.12 and later)."""
        module = types.ModuleType("slicer.packaging", "stand-in of the test host")
        module.load_requirements = _loadRequirements
        module.pip_check = self.check
        module.pip_ensure = self.install
        module.pip_install = self.install
        module.isPipInstallInProgress = lambda: False
        return module


def _loadRequirements(path: str | Path) -> list[Requirement]:
    lines = (line.strip() for line in Path(path).read_text().splitlines())
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def makeSampleData() -> types.ModuleType:
    """The Python module `SampleData`; sources are kept in `slicer.modules.sampleDataSources`."""
    slicer.modules.sampleDataSources = {}
    module = types.ModuleType("SampleData", "stand-in of the test host")

    @dataclasses.dataclass
    class SampleDataSource:
        sampleName: str | None = None
        uris: Any = None
        fileNames: Any = None
        nodeNames: Any = None
        customDownloader: Callable[[Any], Any] | None = None
        thumbnailFileName: str | None = None
        loadFileTypes: Any = None
        loadFiles: Any = None
        loadFileProperties: dict[str, Any] = dataclasses.field(default_factory=dict)
        checksums: Any = None

    class SampleDataLogic:
        @staticmethod
        def registerCustomSampleDataCategory(category: str, title: str) -> None:
            slicer.modules.sampleDataSources.setdefault(category, [])

        @staticmethod
        def registerCustomSampleDataSource(category: str = "Custom", **fields: Any) -> None:
            sources = slicer.modules.sampleDataSources.setdefault(category, [])
            source = SampleDataSource(**fields)
            if source not in sources:
                sources.append(source)

        def sourceForSampleName(self, sampleName: str) -> Any:
            sources = slicer.modules.sampleDataSources.values()
            return next((s for group in sources for s in group if s.sampleName == sampleName), None)

        def downloadSamples(self, sampleName: str) -> list[Any]:
            source = self.sourceForSampleName(sampleName)
            if source is None or source.customDownloader is None:
                msg = f"the test host downloads nothing; no own downloader for {sampleName!r}"
                raise RuntimeError(msg)
            nodes = source.customDownloader(source)
            return list(nodes) if isinstance(nodes, list | tuple) else [nodes]

        def downloadSample(self, sampleName: str) -> Any:
            return self.downloadSamples(sampleName)[0]

    module.SampleDataSource = SampleDataSource
    module.SampleDataLogic = SampleDataLogic
    module.downloadSample = lambda name: SampleDataLogic().downloadSample(name)
    module.downloadSamples = lambda name: SampleDataLogic().downloadSamples(name)
    return module
